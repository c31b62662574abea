#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/files/run_lock.h"
#include "core/checkpoint/checkpoint_reader.h"
#include "core/checkpoint/resume.h"
#include "core/data/mixture/sample_plan.h"
#include "launch/config/run_config.h"
#include "launch/process/process.h"

namespace pretrain {

/// Throws kBadConfig if an identity option differs from the checkpoint's and run.allow_change does
/// not list it. Options that its program did not have yet count as their defaults. Phases may be
/// appended, and sources that only those weigh.
void check_identity(const RunConfig& config, const CheckpointReader& checkpoint);

/// Throws kBadConfig if the samples that the checkpoint's run drew so far would be others by
/// `samples`: a phase was changed, or one was appended that begins before them.
void check_samples(const RunConfig& config, const SamplePlan& samples,
                   const CheckpointReader& checkpoint);

/// The run directory of a live run: locked by rank 0 as long as this lives. All methods are
/// collective.
class RunDirectory {
 public:
  /// Makes the directory if there is none and takes its lock. Throws kLocked, kCannotCreate.
  RunDirectory(const RunConfig& config, Process& process);

  const std::string& path() const { return path_; }
  /// Number of this start, from 1.
  std::int64_t attempt() const { return attempt_; }
  /// Throws kLocked unless the lock is still ours; for rank 0.
  void require_lock();

  /// The checkpoint to go on from, its reader and what was passed over; empty: from scratch.
  /// Throws kBadConfig if an identity option differs from it and run.allow_change does not list it,
  /// kBadData if the data or the tokenizer do.
  struct Resume {
    FoundCheckpoint found;
    std::unique_ptr<CheckpointReader> checkpoint;
  };
  std::optional<Resume> find_resume(const RunConfig& config,
                                    const std::vector<std::string>& fingerprints,
                                    const std::string& tokenizer_sha256);

  /// Writes config.yaml (as given), config.resolved.yaml, config.sha256 and env.json, keeping those
  /// of earlier starts as *.attemptN.
  void write_start_files(const RunConfig& config, const std::string& given_text);

 private:
  Process& process_;
  std::string path_;
  std::int64_t attempt_ = 1;
  std::unique_ptr<RunLock> lock_;  // on rank 0
};

}  // namespace pretrain
