#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/files/directory.h"
#include "core/checkpoint/checkpoint_name.h"
#include "core/checkpoint/manifest.h"
#include "core/checkpoint/retention.h"
#include "core/checkpoint/training_state.h"
#include "core/communicator.h"

namespace pretrain {

/// Elements [begin, end), in row-major order of the global shape, of a tensor of the run: the part
/// of it that this rank writes. `data` points at element `begin`, in host memory.
struct TensorPiece {
  std::string name;
  std::string dtype;                ///< as in safetensors: "F32", "BF16", "I64", ...
  std::vector<std::int64_t> shape;  ///< of the whole tensor
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  const std::byte* data = nullptr;
};

/// What a run is, the same in all its checkpoints.
struct RunIdentity {
  std::string config_yaml;      ///< text of config.resolved.yaml
  std::string identity_sha256;  ///< of the options that a resume may not change
  std::string tokenizer_json;
  std::string tokenizer_sha256;
  std::vector<std::string> corpora;  ///< fingerprints
  MeshShape mesh;
  MachineShape machine;
  CodeVersion code;
};

struct CheckpointerSetup {
  std::string run_dir;  ///< checkpoints are made in its directory `checkpoints`
  RunIdentity identity;
  RetentionRules retention;
  std::int64_t max_failures = 3;  ///< checkpoint.max_failures
  double free_space = 1.1;        ///< checkpoint.free_space
  /// Called on rank 0 when all files of a checkpoint are durable and before it gets its name: syncs
  /// logs, checks the run's lock. What it throws, save() throws; the checkpoint is not published.
  std::function<void()> before_publish = [] {};
};

struct SaveResult {
  bool committed = false;
  std::string name;         ///< of the directory
  std::uint64_t bytes = 0;  ///< of all shards
  double seconds = 0;
  std::string error;                  ///< why it was not committed
  std::vector<std::string> removed;   ///< checkpoints that retention removed; on rank 0
  std::vector<std::string> warnings;  ///< what went wrong after the commit; on rank 0
};

/// Saves the checkpoints of a run. A checkpoint is either complete under its final name or not
/// there: files are written and synced under a temporary name, all ranks agree that theirs are
/// durable, and rank 0 syncs the directory, renames it and syncs its parent. Then the checkpoint is
/// committed; the text files `latest` and `best` and retention follow and can only warn.
/// All methods are collective over `group` (host memory) and called from one thread.
class Checkpointer {
 public:
  /// Makes the checkpoints directory and removes what a killed run left there. The run's lock must
  /// be held. `group` must outlive this.
  Checkpointer(Communicator& group, CheckpointerSetup setup);

  /// The run goes on from this state, which is saved.
  void resumed_from(const TrainingState& state) { committed_ = {state.lineage, state.step}; }
  /// True if the newest checkpoint of this run is of this state.
  bool has(const TrainingState& state) const {
    return committed_ == CheckpointName{state.lineage, state.step};
  }

  /// Throws kCannotCreate unless there is space for a save of such pieces; returns a warning if
  /// there is not enough for all that retention keeps.
  std::optional<std::string> check_space(std::span<const TensorPiece> model,
                                         std::span<const TensorPiece> optimizer);

  /// Saves the pieces of all ranks, which must tile each tensor, with names unique over model and
  /// optimizer. A full or failing disk gives a result that is not committed and leaves older
  /// checkpoints as they were; from the max_failures-th time in a row it throws kCannotCreate, and
  /// if `final` it throws at once. Everything else throws. Ranks get the same outcome.
  SaveResult save(const TrainingState& state, std::span<const TensorPiece> model,
                  std::span<const TensorPiece> optimizer,
                  const std::map<std::string, double>& eval_losses, bool final = false);

 private:
  struct Shard;
  std::vector<Shard> shards(std::span<const TensorPiece> model,
                            std::span<const TensorPiece> optimizer);
  std::uint64_t require_space(const std::vector<Shard>& shards);
  void write(const TrainingState& state, const std::vector<Shard>& shards,
             const std::map<std::string, double>& eval_losses);
  Manifest write_shards(const std::vector<Shard>& shards, const std::string& temporary) const;
  void publish(const TrainingState& state, Manifest manifest, const std::string& temporary) const;
  void tidy_up(SaveResult& result) const;

  Communicator& group_;
  CheckpointerSetup setup_;
  std::optional<Directory> checkpoints_;
  std::optional<CheckpointName> committed_;  // the newest one of this run
  std::int64_t failures_ = 0;                // in a row
};

}  // namespace pretrain
