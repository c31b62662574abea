#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/files/directory.h"
#include "core/checkpoint/checkpoint_name.h"

namespace pretrain {

/// Which checkpoints stay. Each rule alone keeps what it names.
struct RetentionRules {
  std::int64_t keep_last = 2;          ///< the newest, in order of resuming
  std::int64_t keep_best = 1;          ///< those with the lowest loss on `best_set`
  std::uint64_t keep_every_steps = 0;  ///< steps that are multiples of it; 0: none
  std::string best_set;                ///< evaluation set; empty: none is best
};

/// A complete checkpoint of the run and its loss on the best set, if it has a finite one.
struct RetentionCandidate {
  CheckpointName name;
  std::optional<double> loss;
};

/// The complete checkpoints of a run, newest first: those with a valid manifest and files of the
/// right sizes.
std::vector<RetentionCandidate> retention_candidates(const Directory& checkpoints,
                                                     const std::string& best_set);
/// The candidate with the lowest loss, the newer one of equals; nothing if none has a loss.
std::optional<CheckpointName> best_checkpoint(const std::vector<RetentionCandidate>& candidates);
/// Those of the candidates that no rule keeps, oldest first. Pure.
std::vector<CheckpointName> retention_victims(std::vector<RetentionCandidate> candidates,
                                              const RetentionRules& rules);
/// Removes a checkpoint: renamed first, so that nothing half-removed is ever taken for one. It
/// stays, and the result is false, if it holds anything that its manifest does not list.
bool remove_checkpoint(const Directory& checkpoints, const CheckpointName& name);

}  // namespace pretrain
