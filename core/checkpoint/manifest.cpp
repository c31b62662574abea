#include "core/checkpoint/manifest.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/json/json_reader.h"

namespace pretrain {
namespace {

constexpr char kFormat[] = "pretrain-checkpoint";

nlohmann::json tensors_to_json(const std::map<std::string, ManifestTensor>& tensors) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [name, tensor] : tensors) {
    nlohmann::json pieces = nlohmann::json::array();
    for (const ManifestPiece& piece : tensor.pieces) {
      pieces.push_back({{"file", piece.file},
                        {"key", piece.key},
                        {"axis", nullptr},
                        {"begin", piece.begin},
                        {"end", piece.end}});
    }
    json[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"pieces", pieces}};
  }
  return json;
}

std::int64_t signed_whole(const JsonReader& json) {
  const std::uint64_t value = json.whole();
  if (value > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    fail(ExitCode::kBadData, json.place(), ": does not fit 63 bits");
  }
  return static_cast<std::int64_t>(value);
}

std::string hex_digest(const JsonReader& json, std::size_t digits) {
  const std::string& text = json.text();
  if (text.size() != digits || text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    fail(ExitCode::kBadData, json.place(), ": expected ", digits, " hex digits");
  }
  return text;
}

/// A name in the checkpoint's own directory: nothing in a manifest may point out of it.
std::string file_name(const JsonReader& json) {
  const std::string& name = json.text();
  constexpr char kAllowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
  if (name.empty() || name.size() > 255 || name.front() == '.' ||
      name.find_first_not_of(kAllowed) != std::string::npos) {
    fail(ExitCode::kBadData, json.place(), ": is not a name of a checkpoint file");
  }
  return name;
}

ManifestTensor read_tensor(const JsonReader& json) {
  ManifestTensor tensor;
  tensor.dtype = json.at("dtype").text();
  for (const JsonReader& size : json.at("shape").items()) {
    tensor.shape.push_back(signed_whole(size));
  }
  for (const JsonReader& piece : json.at("pieces").items()) {
    if (!piece.at("axis").is_null()) {
      fail(ExitCode::kBadData, piece.place(), ": axis: expected null, slices are not supported");
    }
    tensor.pieces.push_back({file_name(piece.at("file")), piece.at("key").text(),
                             piece.at("begin").whole(), piece.at("end").whole()});
  }
  return tensor;
}

void check_tensor(const std::string& name, ManifestTensor& tensor,
                  const std::set<std::string>& files, const std::string& place) {
  if (safetensors_dtype_bytes(tensor.dtype) == 0) {
    fail(ExitCode::kBadData, place, ": type ", tensor.dtype, " is not known");
  }
  const std::uint64_t elements = element_count(tensor.shape, place);
  std::sort(tensor.pieces.begin(), tensor.pieces.end(),
            [](const auto& a, const auto& b) { return a.begin < b.begin; });
  std::uint64_t expected = 0;
  for (const ManifestPiece& piece : tensor.pieces) {
    if (piece.begin != expected || piece.end < piece.begin ||
        (piece.begin == piece.end && elements != 0)) {
      fail(ExitCode::kBadData, place, ": pieces leave a hole or overlap at element ",
           std::min(piece.begin, expected));
    }
    if (!files.contains(piece.file)) {
      fail(ExitCode::kBadData, place, ": file ", piece.file, " is not listed under files");
    }
    if (piece.key != piece_key(name, piece.begin, piece.end, elements)) {
      fail(ExitCode::kBadData, place, ": key ", piece.key, " does not name its range");
    }
    expected = piece.end;
  }
  if (expected != elements || tensor.pieces.empty()) {
    fail(ExitCode::kBadData, place, ": pieces have ", expected, " of ", elements, " elements");
  }
}

}  // namespace

std::string piece_key(const std::string& name, std::uint64_t begin, std::uint64_t end,
                      std::uint64_t elements) {
  if (begin == 0 && end == elements) return name;
  return concat(name, "@", begin, ":", end);
}

void check_pieces(Manifest& manifest, const std::string& place) {
  std::set<std::string> files;
  for (const FileDigest& file : manifest.files) {
    if (!files.insert(file.name).second) {
      fail(ExitCode::kBadData, place, ": file ", file.name, " is listed twice");
    }
  }
  for (auto& [name, tensor] : manifest.tensors) {
    check_tensor(name, tensor, files, concat(place, ": tensors: ", name));
  }
}

std::string manifest_to_json(const Manifest& manifest) {
  nlohmann::json files = nlohmann::json::array();
  for (const FileDigest& file : manifest.files) {
    files.push_back({{"name", file.name},
                     {"bytes", file.bytes},
                     {"xxh3_128", file.xxh3_128},
                     {"sha256", file.sha256}});
  }
  nlohmann::json eval = nlohmann::json::object();
  for (const auto& [set, loss] : manifest.eval) {
    const char* name = non_finite_name(loss);
    eval[set] = name == nullptr ? nlohmann::json(loss) : nlohmann::json(name);
  }
  const nlohmann::json json = {
      {"format", kFormat},
      {"version", kManifestVersion},
      {"step", manifest.step},
      {"tokens", manifest.tokens},
      {"time", manifest.time},
      {"world", manifest.world},
      {"mesh",
       {{"data", manifest.mesh.data},
        {"tensor", manifest.mesh.tensor},
        {"expert", manifest.mesh.expert},
        {"zero", manifest.mesh.zero}}},
      {"machine", {{"threads", manifest.machine.threads}, {"cpu", manifest.machine.cpu}}},
      {"config_sha256", manifest.config_sha256},
      {"identity_sha256", manifest.identity_sha256},
      {"tokenizer_sha256", manifest.tokenizer_sha256},
      {"code",
       {{"version", manifest.code.version},
        {"git", manifest.code.git},
        {"libtorch", manifest.code.libtorch}}},
      {"corpora", manifest.corpora},
      {"eval", eval},
      {"files", files},
      {"tensors", tensors_to_json(manifest.tensors)},
  };
  return json.dump(1) + "\n";
}

Manifest partial_manifest_from_json(const std::string& text, const std::string& place) {
  JsonLimits limits;
  limits.max_bytes = kMaxManifestBytes;
  limits.max_values = 8'000'000;  // about ten for each piece of each tensor
  const JsonValue value = parse_json(text, place, limits);
  const JsonReader json(value, place);
  if (json.at("format").text() != kFormat) {
    fail(ExitCode::kBadData, place, ": format: expected ", kFormat);
  }
  const std::uint64_t version = json.at("version").whole();
  if (version > kManifestVersion) {
    fail(ExitCode::kBadData, place, ": version ", version, " is newer than ", kManifestVersion,
         ", the newest this program reads. Use a newer pretrain");
  }
  Manifest manifest;
  manifest.step = json.at("step").whole();
  manifest.tokens = json.at("tokens").whole();
  manifest.time = json.at("time").text();
  manifest.world = signed_whole(json.at("world"));
  const JsonReader mesh = json.at("mesh");
  manifest.mesh = {signed_whole(mesh.at("data")), signed_whole(mesh.at("tensor")),
                   signed_whole(mesh.at("expert")), signed_whole(mesh.at("zero"))};
  const JsonReader machine = json.at("machine");
  manifest.machine = {signed_whole(machine.at("threads")), machine.at("cpu").text()};
  manifest.config_sha256 = json.at("config_sha256").text();
  manifest.identity_sha256 = json.at("identity_sha256").text();
  manifest.tokenizer_sha256 = json.at("tokenizer_sha256").text();
  const JsonReader code = json.at("code");
  manifest.code = {code.at("version").text(), code.at("git").text(), code.at("libtorch").text()};
  for (const JsonReader& fingerprint : json.at("corpora").items()) {
    manifest.corpora.push_back(fingerprint.text());
  }
  for (const auto& [set, loss] : json.at("eval").members()) manifest.eval[set] = loss.number();
  for (const JsonReader& file : json.at("files").items()) {
    manifest.files.push_back({file_name(file.at("name")), file.at("bytes").whole(),
                              hex_digest(file.at("xxh3_128"), 32),
                              hex_digest(file.at("sha256"), 64)});
  }
  for (const auto& [name, tensor] : json.at("tensors").members()) {
    manifest.tensors.emplace(name, read_tensor(tensor));
  }
  return manifest;
}

Manifest manifest_from_json(const std::string& text, const std::string& place) {
  Manifest manifest = partial_manifest_from_json(text, place);
  check_pieces(manifest, place);
  return manifest;
}

std::string manifest_checksums(const Manifest& manifest, const std::string& manifest_json) {
  std::string text = sha256_hex(manifest_json) + "  manifest.json\n";
  for (const FileDigest& file : manifest.files) text += file.sha256 + "  " + file.name + "\n";
  return text;
}

}  // namespace pretrain
