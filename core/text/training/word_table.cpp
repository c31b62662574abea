#include "core/text/training/word_table.h"

#include <xxhash.h>

#include <cstring>

#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr std::size_t kFirstSlots = 1024;

}  // namespace

std::uint64_t WordTable::hash_of(std::string_view word) {
  return XXH3_64bits(word.data(), word.size());
}

void WordTable::add(std::string_view word, std::uint64_t hash, std::uint64_t count) {
  if (entries_.size() * 2 >= slots_.size()) grow();
  const std::size_t mask = slots_.size() - 1;
  const auto tag = static_cast<std::uint32_t>(hash >> 32U);
  std::size_t slot = tag & mask;
  while (slots_[slot] != 0) {
    Entry& entry = entries_[slots_[slot] - 1];
    if (entry.hash == tag && entry.length == word.size() &&
        std::memcmp(characters_.data() + entry.offset, word.data(), word.size()) == 0) {
      entry.count += count;
      return;
    }
    slot = (slot + 1) & mask;
  }
  if (entries_.size() >= UINT32_MAX - 1 || word.size() > UINT32_MAX) {
    fail(ExitCode::kBadData, "the text has more than ", entries_.size(),
         " different words, or one of 4 GiB. Choose another --split, or train on less text");
  }
  entries_.push_back({.offset = characters_.size(),
                      .length = static_cast<std::uint32_t>(word.size()),
                      .hash = tag,
                      .count = count});
  characters_.insert(characters_.end(), word.begin(), word.end());
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
}

void WordTable::grow() {
  slots_.assign(slots_.empty() ? kFirstSlots : 2 * slots_.size(), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = entries_[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

void WordTable::drop_below(std::uint64_t minimum) {
  WordTable kept;
  for (const Entry& entry : entries_) {
    // Only the upper half of the hash is used.
    const std::uint64_t hash = std::uint64_t{entry.hash} << 32U;
    if (entry.count >= minimum) kept.add(word(entry), hash, entry.count);
  }
  *this = std::move(kept);
}

void WordTable::clear() { *this = WordTable(); }

}  // namespace pretrain
