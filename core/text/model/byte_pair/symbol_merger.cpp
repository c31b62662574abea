#include "core/text/model/byte_pair/symbol_merger.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace pretrain {
namespace {

constexpr std::uint32_t kNone = MergeTable::kNone;

}  // namespace

std::size_t SymbolMerger::merge_short(const MergeTable& table, std::uint32_t* ids,
                                      std::size_t count) {
  std::uint32_t ranks[kShort];  // [i]: of merging symbols i and i + 1
  for (std::size_t i = 0; i + 1 < count; ++i) ranks[i] = table.rank(ids[i], ids[i + 1]);
  while (count > 1) {
    std::size_t best = 0;
    std::uint32_t rank = ranks[0];
    for (std::size_t i = 1; i + 1 < count; ++i) {
      best = ranks[i] < rank ? i : best;
      rank = std::min(rank, ranks[i]);
    }
    if (rank == kNone) break;
    ids[best] = table.merged(rank);
    --count;
    std::memmove(ids + best + 1, ids + best + 2, (count - best - 1) * sizeof *ids);
    if (best + 1 < count) {
      std::memmove(ranks + best + 1, ranks + best + 2, (count - best - 2) * sizeof *ranks);
      ranks[best] = table.rank(ids[best], ids[best + 1]);
    }
    if (best > 0) ranks[best - 1] = table.rank(ids[best - 1], ids[best]);
  }
  return count;
}

void SymbolMerger::look_at(const MergeTable& table, const Symbols& symbols, std::uint32_t place) {
  Link& link = links_[place];
  link.rank = link.next < symbols.ids.size()
                  ? table.rank(symbols.ids[place], symbols.ids[link.next])
                  : kNone;
  if (link.rank != kNone) heap_.push_back(std::uint64_t{link.rank} << 32 | place);
}

void SymbolMerger::merge(const MergeTable& table, Symbols& symbols) {
  const std::size_t count = symbols.ids.size();
  links_.resize(count);
  heap_.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    links_[i] = {i - 1, i + 1, kNone};
    look_at(table, symbols, i);
  }
  const std::greater<> least_first;
  std::make_heap(heap_.begin(), heap_.end(), least_first);
  const auto renew = [&](std::uint32_t place) {
    const std::size_t before = heap_.size();
    look_at(table, symbols, place);
    if (heap_.size() != before) std::push_heap(heap_.begin(), heap_.end(), least_first);
  };
  while (!heap_.empty()) {
    const auto rank = static_cast<std::uint32_t>(heap_.front() >> 32);
    const auto place = static_cast<std::uint32_t>(heap_.front());
    std::pop_heap(heap_.begin(), heap_.end(), least_first);
    heap_.pop_back();
    Link& link = links_[place];
    if (link.rank != rank) continue;  // one of the two has merged with another since
    const std::uint32_t gone = link.next;
    symbols.ids[place] = table.merged(rank);
    symbols.ends[place] = symbols.ends[gone];
    link.next = links_[gone].next;
    links_[gone].rank = kNone;
    if (link.next < count) links_[link.next].previous = place;
    renew(place);
    if (place > 0) renew(link.previous);
  }
  std::size_t kept = 0;
  for (std::uint32_t i = 0; i < count; i = links_[i].next) {
    symbols.ids[kept] = symbols.ids[i];
    symbols.ends[kept++] = symbols.ends[i];
  }
  symbols.ids.resize(kept);
  symbols.ends.resize(kept);
}

}  // namespace pretrain
