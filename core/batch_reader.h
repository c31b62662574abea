#pragma once

#include <cstdint>
#include <vector>

#include "core/batch.h"
#include "core/data/mixture/sample_plan.h"
#include "core/dataset.h"
#include "core/objective.h"

namespace pretrain {

/// An uninitialised [rows, width] int64 tensor on the host.
at::Tensor empty_rows(std::int64_t rows, std::int64_t width);

/// Reads samples of a run by their numbers. Immutable and pure: any sample at any time, from
/// several threads.
class BatchReader {
 public:
  /// One dataset for each source of the plan. Borrows the datasets and the objective; takes a copy
  /// of the plan.
  BatchReader(std::vector<const Dataset*> sources, const SamplePlan& plan,
              const Objective& objective);

  /// Samples `first` to `first + count` as rows.
  TokenBatch read(std::uint64_t first, std::int64_t count) const;
  /// The same, as the objective prepares them.
  Batch batch(std::uint64_t first, std::int64_t count) const;
  /// Says to the kernel that these samples are read soon; costs a system call each.
  void announce(std::uint64_t first, std::int64_t count) const;

  const SamplePlan& plan() const { return plan_; }

 private:
  using Sample = SamplePlan::Sample;
  at::Tensor whole_rows(const std::vector<Sample>& samples) const;
  at::Tensor pieces(const std::vector<Sample>& samples, std::vector<RowPiece>& pieces) const;
  at::Tensor other_rows(std::uint64_t first, const std::vector<Sample>& samples) const;

  std::vector<const Dataset*> sources_;
  SamplePlan plan_;
  const Objective& objective_;
  RowShape shape_;
};

}  // namespace pretrain
