#include "core/text/training/merges/pair_table.h"

#include <algorithm>

namespace pretrain {
namespace {

constexpr std::size_t kFirstSlots = 4096;

std::size_t hash_of(std::uint32_t first, std::uint32_t second) {
  const std::uint64_t key = std::uint64_t{first} << 32U | second;
  return static_cast<std::size_t>(key * 0x9E3779B97F4A7C15ULL >> 20U);
}

}  // namespace

PairTable::PairTable(std::size_t places) : slots_(kFirstSlots, 0), links_(places) {}

std::uint32_t PairTable::find(std::uint32_t first, std::uint32_t second) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash_of(first, second) & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const Pair& pair = pairs_[slots_[slot] - 1];
    if (pair.first == first && pair.second == second) return slots_[slot] - 1;
  }
  pairs_.push_back({.first = first, .second = second});
  const auto index = static_cast<std::uint32_t>(pairs_.size() - 1);
  slots_[slot] = index + 1;
  if (pairs_.size() * 2 > slots_.size()) grow();
  return index;
}

void PairTable::grow() {
  slots_.assign(2 * slots_.size(), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    std::size_t slot = hash_of(pairs_[i].first, pairs_[i].second) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

void PairTable::add_place(std::uint32_t index, std::uint32_t place) {
  Pair& pair = pairs_[index];
  links_[place] = {.pair = index, .before = pair.tail, .after = kNone};
  if (pair.tail == kNone) {
    pair.head = place;
  } else {
    links_[pair.tail].after = place;
  }
  pair.tail = place;
}

void PairTable::remove_place(std::uint32_t place) {
  const Link link = links_[place];
  Pair& pair = pairs_[link.pair];
  (link.before == kNone ? pair.head : links_[link.before].after) = link.after;
  (link.after == kNone ? pair.tail : links_[link.after].before) = link.before;
  links_[place] = {};
}

void PairTable::places_of(std::uint32_t index, std::vector<std::uint32_t>& places) const {
  places.clear();
  for (std::uint32_t place = pairs_[index].head; place != kNone; place = links_[place].after) {
    places.push_back(place);
  }
  if (!std::is_sorted(places.begin(), places.end())) std::sort(places.begin(), places.end());
}

}  // namespace pretrain
