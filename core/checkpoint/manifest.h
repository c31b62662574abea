#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/checkpoint/safetensors.h"

namespace pretrain {

/// Newest version of manifest.json this program writes and reads.
inline constexpr std::uint64_t kManifestVersion = 1;
inline constexpr std::size_t kMaxManifestBytes = std::size_t{256} << 20;

/// Elements [begin, end) of a tensor in row-major order, stored under `key` in `file`. The key is
/// the tensor's name for the whole tensor, else NAME@begin:end.
struct ManifestPiece {
  std::string file;
  std::string key;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const ManifestPiece&) const = default;
};

struct ManifestTensor {
  std::string dtype;
  std::vector<std::int64_t> shape;    ///< of the whole tensor
  std::vector<ManifestPiece> pieces;  ///< ascending; together each element exactly once
  bool operator==(const ManifestTensor&) const = default;
};

/// How the ranks of the writing run were arranged. For the record: any other can load.
struct MeshShape {
  std::int64_t data = 1;
  std::int64_t tensor = 1;
  std::int64_t expert = 1;
  std::int64_t zero = 0;
  bool operator==(const MeshShape&) const = default;
};

/// What bits depend on besides the number of ranks: threads of a rank, and the vector instructions
/// that libtorch chose ("AVX512").
struct MachineShape {
  std::int64_t threads = 0;
  std::string cpu;
  bool operator==(const MachineShape&) const = default;
};

/// What wrote the checkpoint.
struct CodeVersion {
  std::string version;
  std::string git;
  std::string libtorch;
  bool operator==(const CodeVersion&) const = default;
};

/// The content of manifest.json: what a checkpoint directory consists of. A directory without a
/// valid one is no checkpoint.
struct Manifest {
  std::uint64_t step = 0;
  std::uint64_t tokens = 0;
  std::string time;  ///< of the commit, UTC, "2026-11-23T01:04:49Z"
  std::int64_t world = 1;
  MeshShape mesh;
  MachineShape machine;
  std::string config_sha256;
  std::string identity_sha256;
  std::string tokenizer_sha256;
  CodeVersion code;
  std::vector<std::string> corpora;    ///< fingerprints
  std::map<std::string, double> eval;  ///< loss by set, nats per target
  std::vector<FileDigest> files;       ///< all others in the directory
  std::map<std::string, ManifestTensor> tensors;
  bool operator==(const Manifest&) const = default;
};

/// "NAME" if the range is the whole tensor, else "NAME@begin:end".
std::string piece_key(const std::string& name, std::uint64_t begin, std::uint64_t end,
                      std::uint64_t elements);
/// Sorts each tensor's pieces and throws kBadData naming `place` and the tensor unless they tile
/// it: no hole, no overlap, in files that `files` lists, under the key of their range.
void check_pieces(Manifest& manifest, const std::string& place);

std::string manifest_to_json(const Manifest& manifest);
/// Reads it with check_pieces. Throws kBadData naming `place` and the key, and both versions if the
/// text is newer than this program.
Manifest manifest_from_json(const std::string& text, const std::string& place);
/// The same without check_pieces: what one rank knows of a checkpoint being written.
Manifest partial_manifest_from_json(const std::string& text, const std::string& place);
/// The text of manifest.sha256: input of `sha256sum -c` for manifest.json and every file it lists.
std::string manifest_checksums(const Manifest& manifest, const std::string& manifest_json);

}  // namespace pretrain
