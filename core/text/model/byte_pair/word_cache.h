#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace pretrain {

/// The bytes of a word of at most kMost, as two numbers: padded with zeros, the length in the last
/// byte.
struct ShortWord {
  static constexpr std::size_t kMost = 15;

  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const ShortWord&) const = default;

  /// The `length` bytes at `word`, 1 to kMost, if 16 bytes can be read there.
  static ShortWord from_wide(const char* word, std::size_t length) {
    static_assert(std::endian::native == std::endian::little);
    ShortWord key;
    std::memcpy(&key.low, word, 8);
    std::memcpy(&key.high, word + 8, 8);
    key.low &= length >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * length) - 1;
    key.high &= length <= 8 ? 0 : (std::uint64_t{1} << 8 * (length - 8)) - 1;
    key.high |= std::uint64_t{length} << 56;
    return key;
  }
  /// The same where only the word itself can be read.
  static ShortWord from(const char* word, std::size_t length) {
    char bytes[16] = {};
    std::memcpy(bytes, word, length);
    return from_wide(bytes, length);
  }
};

/// Ids of the short words met last: a fixed number of places, two for each hash, of which a new
/// word takes the one not used last. For one thread.
class WordCache {
 public:
  /// The most ids of a word that is kept.
  static constexpr std::size_t kMostIds = 3;

  struct Entry {
    ShortWord word;
    std::array<std::uint32_t, kMostIds> ids;
    std::uint32_t count;
  };

  explicit WordCache(std::size_t bytes)
      : pairs_(std::bit_floor(bytes / sizeof(Pair))),
        shift_(64 - std::countr_zero(pairs_.size())) {}

  /// The entry of a word, or nullptr.
  const Entry* find(const ShortWord& word) {
    Pair& pair = pairs_[place_of(word)];
    if (pair.first.word == word) return &pair.first;
    if (pair.second.word != word) return nullptr;
    std::swap(pair.first, pair.second);
    return &pair.first;
  }

  /// Has the memory that find() will look at fetched meanwhile.
  void prefetch(const ShortWord& word) const { __builtin_prefetch(&pairs_[place_of(word)]); }

  /// Keeps the ids, at most kMostIds, of a word that find() does not find.
  void put(const ShortWord& word, const std::uint32_t* ids, std::size_t count) {
    Entry& entry = pairs_[place_of(word)].second;
    entry.word = word;
    std::memcpy(entry.ids.data(), ids, count * sizeof *ids);
    entry.count = static_cast<std::uint32_t>(count);
  }

 private:
  struct alignas(64) Pair {
    Entry first;
    Entry second;
  };
  static_assert(sizeof(Pair) == 64);

  std::size_t place_of(const ShortWord& word) const {
    const std::uint64_t mixed = word.low ^ std::rotl(word.high * 0x9E3779B97F4A7C15u, 29);
    return static_cast<std::size_t>(mixed * 0xD6E8FEB86659FD93u >> shift_);
  }

  std::vector<Pair> pairs_;
  int shift_;
};

}  // namespace pretrain
