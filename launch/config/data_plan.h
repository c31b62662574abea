#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/data/batch_schedule.h"
#include "core/data/mixture/sample_plan.h"
#include "launch/config/run_config.h"

namespace pretrain {

/// Checks what the sections data and schedule say of sources, phases and batches, as far as that
/// can be without opening a corpus. Throws kBadConfig naming the option.
void check_data_options(const RunConfig& config);

/// Samples of each step: `sequences`, then what schedule.batch says. Throws kBadConfig if its
/// entries do not follow one another.
BatchSchedule batch_schedule(const RunConfig& config, std::int64_t sequences);

/// What is known of a source once its rows are cut.
struct PlannedSource {
  std::uint64_t rows = 0;
  std::uint64_t positions = 0;  ///< with text, in all rows
  std::uint64_t group = 1;
};

/// Where the samples of the run come from. Throws kBadConfig if phases do not follow one another.
SamplePlan sample_plan(const RunConfig& config, const BatchSchedule& batches,
                       const std::vector<PlannedSource>& sources);

/// Throws kBadConfig if the first `samples` samples repeat a source more often than its max_epochs.
void check_epochs(const RunConfig& config, const SamplePlan& plan, std::uint64_t samples);

/// A line for each source, "books 75.0 % of the tokens (weight 3 of 4), 2.10 epochs of it in this
/// run", and one for each later phase, "from step 1000: books 50.0 %, wiki 50.0 %". `samples` of
/// the whole run; 0: not known.
std::vector<std::string> mixture_text(const RunConfig& config, const SamplePlan& plan,
                                      const std::vector<PlannedSource>& sources,
                                      const BatchSchedule& batches, std::uint64_t samples);
/// The line of one phase: "books 50.0 %, wiki 50.0 %; rows cut into sequences of 128".
std::string phase_text(const RunConfig& config, const SamplePlan& plan,
                       const std::vector<PlannedSource>& sources, std::size_t phase);

}  // namespace pretrain
