#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

namespace pretrain {

/// A pair of tokens and the count it had when it was put into a queue.
struct QueuedPair {
  std::int64_t count = 0;
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::uint32_t index = 0;  ///< whatever the owner likes

  /// Whether `a` comes out after `b`: the highest count first, then the smallest ids.
  friend bool operator<(const QueuedPair& a, const QueuedPair& b) {
    if (a.count != b.count) return a.count < b.count;
    return a.first != b.first ? a.first > b.first : a.second > b.second;
  }
};

/// A priority queue of pairs. Nearly all pairs are rare and never come out, so those of a small
/// count wait in an unsorted list for each count, until it is the highest one left. Not
/// thread-safe.
class PairQueue {
 public:
  /// Pairs of a count below `minimum` (at least 1) are forgotten.
  explicit PairQueue(std::uint64_t minimum);

  void push(const QueuedPair& pair);
  /// The first of all; nullopt: the queue is empty.
  std::optional<QueuedPair> pop();

 private:
  static constexpr std::size_t kLists = 4096;
  std::size_t minimum_;
  std::size_t floor_ = kLists;  // what has this count or a higher one is in the heap
  std::priority_queue<QueuedPair> heap_;
  std::vector<std::vector<QueuedPair>> lists_;  // by count
};

}  // namespace pretrain
