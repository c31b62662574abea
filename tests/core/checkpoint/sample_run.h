#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/checkpoint/checkpointer.h"

namespace pretrain::testing {

/// A whole tensor of a pretended run, and how it is cut among its ranks.
struct SampleTensor {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::string bytes;
  std::vector<std::uint64_t> cuts;  ///< world + 1 borders; rank r writes [cuts[r], cuts[r + 1])
};

/// The tensors of a run at one step: every byte depends on `seed`.
struct SampleRun {
  std::vector<SampleTensor> model;
  std::vector<SampleTensor> optimizer;

  static SampleRun make(std::uint64_t seed, int world, bool random_shapes = false);

  static std::vector<TensorPiece> pieces(const std::vector<SampleTensor>& tensors, int rank);

  std::vector<const SampleTensor*> all() const;

  /// Expects every tensor of the checkpoint to have exactly these bytes.
  void expect_equal(const std::string& path) const;
};

CheckpointerSetup sample_setup(const std::string& run_dir);

TrainingState sample_state(std::uint64_t step, std::uint64_t lineage = 0);

/// Saves a sample run whose seed is the step, from `world` ranks. Returns rank 0's result.
SaveResult save_sample(const CheckpointerSetup& setup, std::uint64_t step, int world = 1,
                       std::map<std::string, double> eval = {}, std::uint64_t lineage = 0);

}  // namespace pretrain::testing
