#pragma once

#include <string>

namespace pretrain {

/// The checkpoint that CKPT names: a checkpoint directory, a run directory (its newest valid
/// checkpoint; damaged ones are passed over with a warning), RUN:best or RUN:STEP. Verified in
/// full. Throws kBadData if there is none.
std::string checkpoint_path(const std::string& name);

/// Throws kBadData saying what is there instead if `run` is no directory with checkpoints.
void require_run(const std::string& run);

}  // namespace pretrain
