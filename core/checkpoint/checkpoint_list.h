#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_options.h"

namespace pretrain {

/// What `pretrain checkpoint list` and `verify` say of one checkpoint.
struct CheckpointEntry {
  std::string name;
  bool valid = false;
  std::string reason;  ///< why not; what follows is then empty
  std::uint64_t step = 0;
  std::uint64_t tokens = 0;
  std::uint64_t bytes = 0;
  std::int64_t world = 0;
  std::string time;
  std::map<std::string, double> eval;  ///< loss by set
  bool is_latest = false;
  bool is_best = false;
};

/// All checkpoints of a run, newest first, checked as `verify` says. Needs one process only. Throws
/// kBadData if the run has no checkpoints directory, kIo if the disk fails.
std::vector<CheckpointEntry> list_checkpoints(const std::string& run_dir, VerifyMode verify);
/// The same as a table for people, a line each.
std::string to_text(const std::vector<CheckpointEntry>& entries);

}  // namespace pretrain
