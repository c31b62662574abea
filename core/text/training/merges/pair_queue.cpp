#include "core/text/training/merges/pair_queue.h"

#include <algorithm>
#include <utility>

namespace pretrain {

PairQueue::PairQueue(std::uint64_t minimum)
    : minimum_(
          static_cast<std::size_t>(std::clamp<std::uint64_t>(minimum, 1, std::uint64_t{1} << 62U))),
      floor_(std::max(kLists, minimum_)),
      lists_(kLists) {}

void PairQueue::push(const QueuedPair& pair) {
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(pair.count, 0));
  if (count >= floor_) {
    heap_.push(pair);
  } else if (count >= minimum_) {
    lists_[count].push_back(pair);
  }
}

std::optional<QueuedPair> PairQueue::pop() {
  while (heap_.empty()) {
    if (floor_ <= minimum_) return std::nullopt;
    --floor_;
    heap_ = std::priority_queue<QueuedPair>({}, std::exchange(lists_[floor_], {}));
  }
  const QueuedPair first = heap_.top();
  heap_.pop();
  return first;
}

}  // namespace pretrain
