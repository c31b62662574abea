#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/data/mixture/proportional_deal.h"
#include "core/data/sample_order.h"

namespace pretrain {

/// A part of a run with one blend: from sample `first_sample` up to the next phase.
struct MixturePhase {
  std::uint64_t first_sample = 0;
  std::vector<std::uint64_t> weights;  ///< of samples, one a source; not all 0
  std::uint64_t parts = 1;             ///< sequences that each row is cut into
};

/// Rows of a source and how they are dealt: `group` neighbours follow one another.
struct SourceRows {
  std::uint64_t rows = 0;
  std::uint64_t group = 1;
};

/// Where the samples of a run come from: the n-th sample -> phase -> source -> its n-th sample ->
/// epoch and row. O(log) arithmetic without state, so any step of any run can be asked for, and the
/// state of the data is the number of samples drawn. In each source the samples come in its own
/// order, every row once an epoch, whatever the phases are. Immutable; safe to share.
class SamplePlan {
 public:
  /// Phases in ascending order, the first from sample 0. Throws kInternal if one is out of order or
  /// weighs another number of sources.
  SamplePlan(std::uint64_t seed, bool shuffle, const std::vector<SourceRows>& sources,
             const std::vector<MixturePhase>& phases);

  struct Sample {
    std::size_t phase = 0;
    std::size_t source = 0;
    std::uint64_t index = 0;   ///< samples of the source before it in the run
    std::uint64_t epoch = 0;   ///< of the source
    std::uint64_t row = 0;     ///< of the source
    std::uint64_t row_id = 0;  ///< of all sources, one after the other
    std::uint64_t parts = 1;
  };
  /// `position`: number of the sample since the start of the run, over all ranks.
  Sample sample(std::uint64_t position) const;
  /// A row of the same source drawn uniformly, apart from the sample's own.
  std::uint64_t other_row(std::uint64_t position, const Sample& sample) const;
  /// Samples of each source among the first `samples` of the run.
  std::vector<std::uint64_t> consumed(std::uint64_t samples) const;
  /// Phase of the sample at `position`.
  std::size_t phase_at(std::uint64_t position) const;

  std::size_t sources() const { return orders_.size(); }
  const SampleOrder& order(std::size_t source) const { return orders_[source]; }
  std::uint64_t rows() const { return first_row_.back(); }  ///< of all sources
  std::size_t phases() const { return phases_.size(); }
  std::uint64_t first_sample(std::size_t phase) const { return phases_[phase].first; }
  /// Part of a phase's samples that a source gives.
  double share(std::size_t phase, std::size_t source) const {
    return phases_[phase].deal.share(source);
  }

 private:
  struct Phase {
    std::uint64_t first;
    std::uint64_t parts;
    ProportionalDeal deal;
    std::vector<std::uint64_t> consumed;  // by each source before the phase
  };

  std::vector<SampleOrder> orders_;
  std::vector<std::uint64_t> first_row_;  // [sources + 1]
  std::vector<Phase> phases_;
};

}  // namespace pretrain
