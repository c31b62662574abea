#pragma once

#include "core/objective.h"
#include "core/optim/flat_buffer.h"
#include "launch/config/run_config.h"

namespace pretrain {

/// Throws kBadConfig naming both numbers if what run.init names, a checkpoint or a Hugging Face
/// directory, has another context, vocabulary or tensor than the objective's model, or if there is
/// no run.init and the objective needs one; kBadData if it is not there. Nothing to do for a run
/// directory with checkpoints, which resumes.
void check_initial_weights(const RunConfig& config, Objective& objective, std::int64_t vocab_size);

/// Fills the parameters from there and tells the objective of the one they were trained with.
void load_initial_weights(const RunConfig& config, Objective& objective, FlatBuffer& parameters);

}  // namespace pretrain
