#pragma once

#include <cstdint>
#include <functional>

#include "core/data_loader.h"
#include "core/trainer.h"
#include "launch/config/run_config.h"

namespace pretrain {

/// Samples of one step, from whichever of the two options is given. Throws kBadConfig if both or
/// none is, or the tokens are not whole rows.
std::int64_t global_sequences(const RunConfig& config);

/// Solves, for the first batch and those of schedule.batch, sequences = micro_batch x ranks x
/// accumulation for the accumulation. Throws kBadConfig with the equation and the nearest batches
/// that divide. With micro_batch auto it takes the largest divisor of all sequences / ranks that
/// `fits`. The layout is that of the first batch.
BatchLayout plan_batch(const RunConfig& config, std::int64_t ranks,
                       const std::function<bool(std::int64_t micro_batch)>& fits);

/// Whole steps of a span, rounded up: samples of `length` positions each, `rows` samples an epoch,
/// `total` steps in all (for fractions). Not for hours.
std::int64_t span_steps(const Span& span, const BatchSchedule& batches, std::int64_t length,
                        std::uint64_t rows, std::int64_t total);
/// The same of a cadence, which is steady: counted with the last batch of the schedule.
std::int64_t cadence_steps(const Span& span, const BatchSchedule& batches, std::int64_t length,
                           std::uint64_t rows);

/// All numbers of the training loop. Throws kBadConfig if a schedule needs a length it does not
/// have.
TrainingPlan make_plan(const RunConfig& config, const BatchSchedule& batches, std::uint64_t rows,
                       double flops_per_token);
/// Samples of the whole run; 0 if hours limit it.
std::uint64_t planned_samples(const TrainingPlan& plan);

}  // namespace pretrain
