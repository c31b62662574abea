#include "core/data/mixture/sample_plan.h"

#include <algorithm>

#include "core/base/error.h"

namespace pretrain {

SamplePlan::SamplePlan(std::uint64_t seed, bool shuffle, const std::vector<SourceRows>& sources,
                       const std::vector<MixturePhase>& phases) {
  first_row_.push_back(0);
  for (const SourceRows& source : sources) {
    orders_.emplace_back(seed, source.rows, shuffle, orders_.size(), source.group);
    std::uint64_t end = 0;
    if (__builtin_add_overflow(first_row_.back(), source.rows, &end)) {
      fail(ExitCode::kInternal, "more than 2^64 rows together");
    }
    first_row_.push_back(end);
  }
  if (phases.empty() || phases.front().first_sample != 0) {
    fail(ExitCode::kInternal, "the first phase of a run begins at sample 0");
  }
  for (const MixturePhase& phase : phases) {
    if (phase.weights.size() != sources.size()) {
      fail(ExitCode::kInternal, "a phase weighs ", phase.weights.size(), " of ", sources.size(),
           " sources");
    }
    if (!phases_.empty() && phase.first_sample <= phases_.back().first) {
      fail(ExitCode::kInternal, "a phase from sample ", phase.first_sample, " after one from ",
           phases_.back().first);
    }
    const std::vector<std::uint64_t> before = consumed(phase.first_sample);
    phases_.push_back({phase.first_sample, phase.parts, ProportionalDeal(phase.weights), before});
  }
}

std::size_t SamplePlan::phase_at(std::uint64_t position) const {
  const auto after =
      std::upper_bound(phases_.begin(), phases_.end(), position,
                       [](std::uint64_t value, const Phase& phase) { return value < phase.first; });
  return static_cast<std::size_t>(after - phases_.begin()) - 1;
}

SamplePlan::Sample SamplePlan::sample(std::uint64_t position) const {
  Sample sample;
  sample.phase = phase_at(position);
  const Phase& phase = phases_[sample.phase];
  const ProportionalDeal::Turn turn = phase.deal.at(position - phase.first);
  sample.source = turn.source;
  sample.index = phase.consumed[turn.source] + turn.index;
  const SampleOrder& order = orders_[turn.source];
  sample.epoch = order.epoch(sample.index);
  sample.row = order.row(sample.index);
  sample.row_id = first_row_[turn.source] + sample.row;
  sample.parts = phase.parts;
  return sample;
}

std::uint64_t SamplePlan::other_row(std::uint64_t position, const Sample& sample) const {
  return orders_[sample.source].other_row(position, sample.row);
}

std::vector<std::uint64_t> SamplePlan::consumed(std::uint64_t samples) const {
  if (phases_.empty() || samples == 0) return std::vector<std::uint64_t>(sources(), 0);
  const Phase& phase = phases_[phase_at(samples - 1)];
  std::vector<std::uint64_t> counts = phase.deal.counts(samples - phase.first);
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += phase.consumed[i];
  return counts;
}

}  // namespace pretrain
