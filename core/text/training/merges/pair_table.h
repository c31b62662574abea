#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pretrain {

/// Pairs of neighbours and where they stand. The places of a pair are a doubly linked list through
/// two arrays as long as the text; a place is in one list at a time. Not thread-safe.
class PairTable {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Pair {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    std::int64_t count = 0;
    std::uint32_t head = kNone;  ///< places, in the order they were added
    std::uint32_t tail = kNone;
  };

  explicit PairTable(std::size_t places);

  /// Index of the pair, which is made if it is new; stays valid.
  std::uint32_t find(std::uint32_t first, std::uint32_t second);
  Pair& at(std::uint32_t index) { return pairs_[index]; }
  std::size_t size() const { return pairs_.size(); }

  /// Puts a place that is in no list at the end of the pair's.
  void add_place(std::uint32_t index, std::uint32_t place);
  /// Takes the place out of its list.
  void remove_place(std::uint32_t place);
  /// The pair in whose list the place is; kNone: in none.
  std::uint32_t pair_at(std::uint32_t place) const { return links_[place].pair; }
  /// All places of a pair, ascending.
  void places_of(std::uint32_t index, std::vector<std::uint32_t>& places) const;

 private:
  struct Link {
    std::uint32_t pair = kNone;
    std::uint32_t before = kNone;
    std::uint32_t after = kNone;
  };
  void grow();

  std::vector<Pair> pairs_;
  std::vector<std::uint32_t> slots_;  // index of a pair + 1; 0: free; a power of two of them
  std::vector<Link> links_;           // by place
};

}  // namespace pretrain
