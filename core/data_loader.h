#pragma once

#include <c10/core/Device.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/batch.h"
#include "core/data/sample_order.h"
#include "core/dataset.h"
#include "core/objective.h"

namespace pretrain {

/// How the global batch of a step is dealt out. sequences = micro_batch x ranks x accumulation.
struct BatchLayout {
  std::int64_t micro_batch = 1;   ///< sequences in one forward of one rank
  std::int64_t ranks = 1;         ///< data ranks
  std::int64_t accumulation = 1;  ///< micro batches of a step on each rank

  std::int64_t sequences() const { return micro_batch * ranks * accumulation; }
};

/// An uninitialised [rows, width] int64 tensor on the host.
at::Tensor empty_rows(std::int64_t rows, std::int64_t width);
/// The batch with its tensors on `device`; the same tensors if they are there already.
Batch to_device(const Batch& batch, c10::Device device);

/// Reads this rank's micro batches of each step in a thread, ahead of their use.
///
/// Step s (from 0) consists of the samples at positions [s B, (s + 1) B) of the sample order, B the
/// global batch; rank r takes the r-th contiguous part. So the samples of a step do not depend on
/// the number of ranks, and starting at any step is arithmetic.
class DataLoader {
 public:
  /// Borrows dataset and objective, which must outlive the loader. `steps_ahead` >= 1 steps are
  /// prepared before they are asked for.
  DataLoader(const Dataset& dataset, const SampleOrder& order, const Objective& objective,
             const BatchLayout& layout, int rank, std::int64_t steps_ahead);
  ~DataLoader();
  DataLoader(const DataLoader&) = delete;
  DataLoader& operator=(const DataLoader&) = delete;

  /// Starts reading at `step`. Call once, before next().
  void start(std::int64_t step);
  /// The micro batches of the next step. Rethrows what the reading thread met.
  std::vector<Batch> next();

 private:
  void read_ahead(std::int64_t step);
  std::vector<Batch> read_step(std::int64_t step) const;

  const Dataset& dataset_;
  SampleOrder order_;
  const Objective& objective_;
  BatchLayout layout_;
  int rank_;
  std::size_t steps_ahead_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<Batch>> ready_;
  std::exception_ptr failure_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pretrain
