#pragma once

#include <c10/core/Device.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "core/batch.h"
#include "core/batch_reader.h"
#include "core/checkpoint/training_state.h"
#include "core/data/batch_schedule.h"

namespace pretrain {

/// How the global batch of a step is dealt out. sequences = micro_batch x ranks x accumulation.
struct BatchLayout {
  std::int64_t micro_batch = 1;   ///< sequences in one forward of one rank
  std::int64_t ranks = 1;         ///< data ranks
  std::int64_t accumulation = 1;  ///< micro batches of a step on each rank

  std::int64_t sequences() const { return micro_batch * ranks * accumulation; }
};

/// What a loader does beside the training thread.
struct ReadAhead {
  std::int64_t steps = 1;    ///< that are prepared before they are asked for: bounds the memory
  std::int64_t threads = 1;  ///< that prepare them
  bool announce = false;     ///< tell the kernel of rows earlier still: for files not in memory
};

/// The batch with its tensors on `device`; the same tensors if they are there already.
Batch to_device(const Batch& batch, c10::Device device);

/// Reads this rank's micro batches of each step in threads, ahead of their use, and hands them out
/// in order.
///
/// Step s (from 0) consists of the samples [first_sample(s), first_sample(s + 1)) of the schedule;
/// rank r takes the r-th contiguous part. So the samples of a step do not depend on the number of
/// ranks or threads, and starting at any step is arithmetic.
class DataLoader {
 public:
  /// Of `layout`, the accumulation follows from each step's batch. Throws kInternal if a batch of
  /// the schedule does not divide. What `reader` borrows must outlive the loader.
  DataLoader(BatchReader reader, const BatchLayout& layout, BatchSchedule batches, int rank,
             const ReadAhead& ahead);
  ~DataLoader();
  DataLoader(const DataLoader&) = delete;
  DataLoader& operator=(const DataLoader&) = delete;

  /// Starts reading at `step`. Call once, before next().
  void start(std::int64_t step);
  /// The micro batches of the next step. Rethrows what reading that step met.
  std::vector<Batch> next();

  /// Writes into `cursor` where the data stand after `samples` samples.
  void locate(std::uint64_t samples, DataCursor& cursor) const;

 private:
  struct Outcome {
    std::vector<Batch> batches;
    std::exception_ptr failure;
  };
  void work();
  Outcome read_step(std::int64_t step) const;
  void announce(std::int64_t step) const;
  // This rank's samples of a step.
  std::uint64_t first_sample(std::int64_t step) const;
  std::int64_t own_sequences(std::int64_t step) const;

  BatchReader reader_;
  BatchLayout layout_;
  BatchSchedule batches_;
  int rank_;
  ReadAhead ahead_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int64_t, Outcome> ready_;
  std::int64_t wanted_ = 0;  // step that next() gives next
  std::int64_t begun_ = 0;   // step that the next free thread takes
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace pretrain
