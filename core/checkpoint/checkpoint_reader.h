#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/files/directory.h"
#include "core/checkpoint/checkpoint_name.h"
#include "core/checkpoint/checkpoint_options.h"
#include "core/checkpoint/manifest.h"
#include "core/checkpoint/training_state.h"

namespace pretrain {

/// A committed checkpoint, open for reading. Tensors are addressed by name and range of elements,
/// so a run of any world size loads what another one wrote. Everything that is wrong with the
/// checkpoint throws kBadData naming the file; a failing disk throws kIo. Not thread-safe.
class CheckpointReader {
 public:
  /// Reads and checks the manifest against its checksums, and state, config and tokenizer against
  /// the manifest. Shards are checked by verify(), and those that are read by read().
  explicit CheckpointReader(Directory directory);
  explicit CheckpointReader(const std::string& path) : CheckpointReader(Directory::open(path)) {}

  const std::string& path() const { return directory_.path(); }
  const Manifest& manifest() const { return manifest_; }
  const TrainingState& state() const { return state_; }
  const std::string& config_yaml() const { return config_yaml_; }        ///< config.resolved.yaml
  const std::string& tokenizer_json() const { return tokenizer_json_; }  ///< tokenizer.json
  /// Bytes of all files that the manifest lists.
  std::uint64_t bytes() const;

  /// Checks every `parts`-th file from the `part`-th on, so that ranks can share the work: size,
  /// header and tensors against the manifest and, if asked, digests.
  void verify(VerifyMode mode, std::size_t part = 0, std::size_t parts = 1) const;
  /// Copies elements [begin, end) of a tensor of type `dtype` ("F32"), in row-major order of its
  /// global shape, to `out`, which is exactly as large. kBadData if the tensor has another type.
  void read(const std::string& name, std::string_view dtype, std::uint64_t begin, std::uint64_t end,
            std::span<std::byte> out);

 private:
  std::string read_listed_text(const std::string& name) const;
  void check_shard(const std::string& name) const;
  const SafetensorsFile& shard(const std::string& name);

  Directory directory_;
  Manifest manifest_;
  TrainingState state_;
  std::string config_yaml_;
  std::string tokenizer_json_;
  std::map<std::string, std::unique_ptr<SafetensorsFile>> shards_;  // those read from so far
};

/// Opens `name` in a checkpoints directory; kBadData also if the content is not that of the name.
CheckpointReader open_checkpoint(const Directory& checkpoints, const CheckpointName& name);

}  // namespace pretrain
