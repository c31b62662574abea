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

/// Solves sequences = micro_batch x ranks x accumulation for the accumulation. Throws kBadConfig
/// with the equation and the nearest batches that divide. With micro_batch auto it takes the
/// largest divisor of sequences / ranks that `fits`.
BatchLayout plan_batch(const RunConfig& config, std::int64_t ranks,
                       const std::function<bool(std::int64_t micro_batch)>& fits);

/// Whole steps of a span, rounded up: of `sequences` samples of `length` positions each, `rows`
/// samples an epoch, `total` steps in all (for fractions). Not for hours.
std::int64_t span_steps(const Span& span, std::int64_t sequences, std::int64_t length,
                        std::uint64_t rows, std::int64_t total);

/// All numbers of the training loop. Throws kBadConfig if a schedule needs a length it does not
/// have.
TrainingPlan make_plan(const RunConfig& config, const BatchLayout& layout, std::uint64_t rows,
                       double flops_per_token);

}  // namespace pretrain
