#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_options.h"
#include "core/communicator.h"

namespace pretrain {

/// A checkpoint that was passed over.
struct RejectedCheckpoint {
  std::string path;
  std::string reason;  ///< "optim-00001-of-00002.safetensors is 4,096 bytes short"
};

/// The checkpoint a run goes on from.
struct FoundCheckpoint {
  std::string path;
  /// Of the run from here on: one more than any so far if the checkpoint is not the run's newest.
  std::uint64_t lineage = 0;
  std::vector<RejectedCheckpoint> rejected;  ///< newer ones, newest first
};

/// Chooses the checkpoint to resume from, by `run.resume`:
///   auto     the newest valid one; nothing if the run has none
///   never    nothing; kCannotCreate if the run has checkpoints
///   require  as auto, but kBadData if there is none
///   PATH     that checkpoint directory; kBadData if it is not valid
/// Newest is by lineage, then step; `latest` is a hint for people and decides nothing. If a run has
/// checkpoints but none is valid: kBadData, never a silent start from scratch. Each candidate is
/// verified by all ranks together (files shared out) and they agree on it before it counts.
/// Collective over `group` (host memory). Whether the config fits is the caller's question.
std::optional<FoundCheckpoint> find_checkpoint(Communicator& group, const std::string& run_dir,
                                               const std::string& resume, VerifyMode verify);

/// "step-00002000 skipped: REASON. Resuming from step-00001000".
std::string rejection_warning(const RejectedCheckpoint& rejected, const FoundCheckpoint& found);

}  // namespace pretrain
