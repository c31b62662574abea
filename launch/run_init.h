#pragma once

#include "core/objective.h"
#include "core/optim/flat_buffer.h"
#include "launch/config/run_config.h"

namespace pretrain {

/// Throws kBadConfig naming both numbers if the checkpoint that run.init names has another context
/// or vocabulary than the objective's model, kBadData if there is no checkpoint. Nothing to do for
/// a run directory with checkpoints, which resumes, or without run.init.
void check_initial_weights(const RunConfig& config, Objective& objective, std::int64_t vocab_size);

/// Fills the parameters from that checkpoint and tells the objective of the one it was trained
/// with. Throws kBadData if a tensor is missing or has another shape.
void load_initial_weights(const RunConfig& config, Objective& objective, FlatBuffer& parameters);

}  // namespace pretrain
