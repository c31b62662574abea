#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/data/corpus/build/build_batch.h"

namespace pretrain {

/// Threads that work on batches; the batches come back in the order in which they were put in. One
/// thread uses it.
class BatchPool {
 public:
  /// `work` is called on the pool's threads; what it throws comes out of take(). Throws
  /// kOutOfMemory if the system starts no more threads.
  BatchPool(std::size_t threads, std::function<void(BuildBatch&)> work);
  /// Waits for the batches being worked on and drops the others.
  ~BatchPool();
  BatchPool(const BatchPool&) = delete;
  BatchPool& operator=(const BatchPool&) = delete;

  void put(std::unique_ptr<BuildBatch> batch);
  /// The oldest batch, when it is done.
  std::unique_ptr<BuildBatch> take();
  std::size_t size() const { return slots_.size(); }
  std::uint64_t bytes() const { return bytes_; }  ///< of the data of all batches in it

 private:
  struct Slot {
    std::unique_ptr<BuildBatch> batch;
    bool done = false;
  };
  void run();
  void end();

  std::function<void(BuildBatch&)> work_;
  std::deque<std::unique_ptr<Slot>> slots_;  // in order; changed by the user's thread alone
  std::uint64_t bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Slot*> waiting_;
  bool ended_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace pretrain
