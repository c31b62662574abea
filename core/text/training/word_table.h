#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pretrain {

/// Distinct words and a count for each: open addressing over one block of characters, so that
/// counting a word that is known touches two cache lines. About 24 bytes a word and its
/// characters. Not thread-safe.
class WordTable {
 public:
  struct Entry {
    std::uint64_t offset = 0;  ///< of the first character
    std::uint32_t length = 0;  ///< bytes
    std::uint32_t hash = 0;    ///< the upper half of hash_of(word)
    std::uint64_t count = 0;
  };

  static std::uint64_t hash_of(std::string_view word);

  void add(std::string_view word, std::uint64_t count) { add(word, hash_of(word), count); }
  /// The same for a word whose hash is known.
  void add(std::string_view word, std::uint64_t hash, std::uint64_t count);
  /// Removes the words that were counted fewer than `minimum` times.
  void drop_below(std::uint64_t minimum);
  void clear();

  std::size_t size() const { return entries_.size(); }
  const std::vector<Entry>& entries() const { return entries_; }  ///< in the order of arrival
  std::string_view word(const Entry& entry) const {
    return {characters_.data() + entry.offset, entry.length};
  }

 private:
  void grow();
  std::vector<char> characters_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // index of an entry + 1; 0: free; a power of two of them
};

}  // namespace pretrain
