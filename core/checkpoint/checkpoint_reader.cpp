#include "core/checkpoint/checkpoint_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/digest.h"
#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;

/// 4096 -> "4,096".
std::string with_separators(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string read_required(const Directory& directory, const std::string& name,
                          std::size_t max_bytes) {
  auto text = directory.read_text(name, max_bytes);
  if (!text) fail(ExitCode::kBadData, directory.path_of(name), " is missing");
  return *std::move(text);
}

Manifest read_manifest(const Directory& directory) {
  const std::string json = read_required(directory, "manifest.json", kMaxManifestBytes);
  const std::string checksums = read_required(directory, "manifest.sha256", kMaxManifestBytes);
  const std::string place = directory.path_of("manifest.json");
  if (!checksums.starts_with(sha256_hex(json))) {
    fail(ExitCode::kBadData, place, " differs from manifest.sha256");
  }
  Manifest manifest = manifest_from_json(json, place);
  if (checksums != manifest_checksums(manifest, json)) {
    fail(ExitCode::kBadData, directory.path_of("manifest.sha256"), " differs from manifest.json");
  }
  return manifest;
}

void check_size(const FileDigest& listed, const std::string& path, std::uint64_t bytes) {
  if (bytes == listed.bytes) return;
  const bool is_short = bytes < listed.bytes;
  const std::uint64_t difference = is_short ? listed.bytes - bytes : bytes - listed.bytes;
  fail(ExitCode::kBadData, path, " is ", with_separators(difference), " bytes ",
       is_short ? "short" : "too long");
}

void check_digests(const FileDigest& listed, const InputFile& file) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(file.size(), std::uint64_t{4} << 20));
  StreamDigest digest;
  for (std::uint64_t at = 0; at < file.size();) {
    const auto part = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), file.size() - at)));
    file.read(at, part);
    digest.update(part);
    at += part.size();
  }
  if (digest.xxh3_128() != listed.xxh3_128 || digest.sha256() != listed.sha256) {
    fail(ExitCode::kBadData, file.path(), " differs from its digest in manifest.json");
  }
}

std::vector<std::int64_t> piece_shape(const ManifestTensor& tensor, const ManifestPiece& piece,
                                      const std::string& name) {
  if (piece.key == name) return tensor.shape;
  return {static_cast<std::int64_t>(piece.end - piece.begin)};
}

/// The shard's entry for the piece. Throws unless it has the type and shape the manifest says.
const TensorInfo& find_piece(const SafetensorsFile& file, const std::string& name,
                             const ManifestTensor& tensor, const ManifestPiece& piece) {
  const auto found = file.tensors().find(piece.key);
  if (found == file.tensors().end()) {
    fail(ExitCode::kBadData, file.path(), " has no tensor ", piece.key);
  }
  if (found->second.dtype != tensor.dtype ||
      found->second.shape != piece_shape(tensor, piece, name)) {
    fail(ExitCode::kBadData, file.path(), ": type or shape of ", piece.key,
         " is not that of manifest.json");
  }
  return found->second;
}

}  // namespace

CheckpointReader::CheckpointReader(Directory directory)
    : directory_(std::move(directory)), manifest_(read_manifest(directory_)) {
  state_ =
      training_state_from_json(read_listed_text("state.json"), directory_.path_of("state.json"));
  if (state_.step != manifest_.step) {
    fail(ExitCode::kBadData, directory_.path_of("state.json"), " is of step ", state_.step,
         ", manifest.json of step ", manifest_.step);
  }
  config_yaml_ = read_listed_text("config.resolved.yaml");
  tokenizer_json_ = read_listed_text("tokenizer.json");
}

std::string CheckpointReader::read_listed_text(const std::string& name) const {
  const auto listed = std::find_if(manifest_.files.begin(), manifest_.files.end(),
                                   [&](const FileDigest& file) { return file.name == name; });
  if (listed == manifest_.files.end()) {
    fail(ExitCode::kBadData, directory_.path_of("manifest.json"), " does not list ", name);
  }
  std::string text = read_required(directory_, name, kMaxTextBytes);
  check_size(*listed, directory_.path_of(name), text.size());
  if (sha256_hex(text) != listed->sha256) {
    fail(ExitCode::kBadData, directory_.path_of(name), " differs from its digest in manifest.json");
  }
  return text;
}

std::uint64_t CheckpointReader::bytes() const {
  std::uint64_t sum = 0;
  for (const FileDigest& file : manifest_.files) sum += file.bytes;
  return sum;
}

void CheckpointReader::verify(VerifyMode mode, std::size_t part, std::size_t parts) const {
  for (std::size_t i = part; i < manifest_.files.size(); i += parts) {
    const FileDigest& listed = manifest_.files[i];
    const InputFile file = directory_.open_file(listed.name);
    check_size(listed, file.path(), file.size());
    if (listed.name.ends_with(".safetensors")) check_shard(listed.name);
    if (mode == VerifyMode::kFull) check_digests(listed, file);
    file.require_unchanged();
  }
}

void CheckpointReader::check_shard(const std::string& name) const {
  const SafetensorsFile file(directory_, name);
  std::size_t expected = 0;
  for (const auto& [tensor_name, tensor] : manifest_.tensors) {
    for (const ManifestPiece& piece : tensor.pieces) {
      if (piece.file != name) continue;
      find_piece(file, tensor_name, tensor, piece);
      ++expected;
    }
  }
  if (file.tensors().size() != expected) {
    fail(ExitCode::kBadData, file.path(), " has ", file.tensors().size(), " tensors, expected ",
         expected);
  }
}

const SafetensorsFile& CheckpointReader::shard(const std::string& name) {
  auto& slot = shards_[name];
  if (slot == nullptr) slot = std::make_unique<SafetensorsFile>(directory_, name);
  return *slot;
}

void CheckpointReader::read(const std::string& name, std::string_view dtype, std::uint64_t begin,
                            std::uint64_t end, std::span<std::byte> out) {
  const auto found = manifest_.tensors.find(name);
  if (found == manifest_.tensors.end()) {
    fail(ExitCode::kBadData, path(), ": has no tensor ", name);
  }
  const ManifestTensor& tensor = found->second;
  if (begin > end || end > element_count(tensor.shape, name)) {
    fail(ExitCode::kBadData, path(), ": ", name, " has no elements ", begin, " to ", end);
  }
  if (tensor.dtype != dtype) {
    fail(ExitCode::kBadData, path(), ": tensor ", name, ": expected type ", dtype, ", found ",
         tensor.dtype);
  }
  const std::uint64_t width = safetensors_dtype_bytes(tensor.dtype);
  if (out.size() != (end - begin) * width) {
    fail(ExitCode::kInternal, "tensor ", name, ": ", out.size(), " bytes for ", end - begin,
         " elements of ", dtype);
  }
  auto piece = std::upper_bound(tensor.pieces.begin(), tensor.pieces.end(), begin,
                                [](std::uint64_t at, const auto& p) { return at < p.end; });
  for (; begin < end; ++piece) {
    const std::uint64_t stop = std::min(end, piece->end);
    const SafetensorsFile& file = shard(piece->file);
    const std::size_t bytes = static_cast<std::size_t>((stop - begin) * width);
    file.read(find_piece(file, name, tensor, *piece), (begin - piece->begin) * width,
              out.first(bytes));
    out = out.subspan(bytes);
    begin = stop;
  }
}

CheckpointReader open_checkpoint(const Directory& checkpoints, const CheckpointName& name) {
  CheckpointReader reader(checkpoints.open_directory(to_string(name)));
  if (reader.state().step != name.step || reader.state().lineage != name.lineage) {
    fail(ExitCode::kBadData, reader.path(), "/state.json is of step ", reader.state().step,
         " and lineage ", reader.state().lineage, ", not of this directory");
  }
  return reader;
}

}  // namespace pretrain
