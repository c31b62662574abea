#include "core/data/corpus/corpus_manifest.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/files/file.h"
#include "core/base/json/json_reader.h"

namespace pretrain {
namespace {

using Json = nlohmann::json;  // sorted keys: dump() is canonical

constexpr std::size_t kPiece = std::size_t{8} << 20;  // digested between two progress reports

// A manifest of many blocks has many values; its size bounds them.
constexpr JsonLimits kLimits{.max_bytes = kMaxCorpusManifestBytes,
                             .max_values = kMaxCorpusManifestBytes};

Json attributes_json(const CorpusAttributes& a) {
  Json json = {{"format", kCorpusFormat},    {"version", a.version},
               {"dtype", a.dtype},           {"tokenizer_sha256", a.tokenizer_sha256},
               {"created_by", a.created_by}, {"vocab_size", a.vocab_size},
               {"max_id", a.max_id},         {"documents", a.documents},
               {"tokens", a.tokens},         {"bytes", a.bytes},
               {"eos_id", a.eos_id}};
  if (!a.sources.empty()) json["sources"] = a.sources;
  return json;
}

std::vector<std::string> read_texts(const JsonReader& list) {
  std::vector<std::string> texts;
  for (const JsonReader& item : list.items()) texts.push_back(item.text());
  return texts;
}

CorpusAttributes read_attributes(const JsonReader& json) {
  if (json.at("format").text() != kCorpusFormat) json.at("format").refuse(kCorpusFormat);
  CorpusAttributes a;
  a.version = json.at("version").whole();
  a.dtype = json.at("dtype").text();
  a.tokenizer_sha256 = json.at("tokenizer_sha256").text();
  a.created_by = json.at("created_by").text();
  a.vocab_size = json.at("vocab_size").whole();
  a.max_id = json.at("max_id").whole();
  a.documents = json.at("documents").whole();
  a.tokens = json.at("tokens").whole();
  a.bytes = json.at("bytes").whole();
  a.eos_id = json.at("eos_id").integer();
  if (json.has("sources")) a.sources = read_texts(json.at("sources"));
  return a;
}

Json table_json(const CorpusTable& table) {
  Json datasets = Json::object();
  for (const auto& [path, entry] : table.datasets) {
    datasets[path] = {{"offset", entry.offset}, {"bytes", entry.bytes},
                      {"dtype", entry.dtype},   {"count", entry.count},
                      {"sha256", entry.sha256}, {"xxh3_128", entry.xxh3_128}};
  }
  return {{"attributes", attributes_json(table.attributes)}, {"datasets", std::move(datasets)}};
}

CorpusTable read_table(const JsonReader& root) {
  CorpusTable table;
  table.attributes = read_attributes(root.at("attributes"));
  for (const auto& [path, entry] : root.at("datasets").members()) {
    table.datasets[path] = {.offset = entry.at("offset").whole(),
                            .bytes = entry.at("bytes").whole(),
                            .count = entry.at("count").whole(),
                            .dtype = entry.at("dtype").text(),
                            .xxh3_128 = entry.at("xxh3_128").text(),
                            .sha256 = entry.at("sha256").text()};
  }
  return table;
}

// "data/kjv.h5" -> "data/kjv" + ending.
std::string sidecar(const std::string& corpus, const char* ending) {
  std::filesystem::path path(corpus);
  return path.replace_extension().string() + ending;
}

std::string self_digest(Json root) {
  root.erase("manifest_sha256");
  return sha256_hex(root.dump());
}

std::uint64_t element_bytes(const std::string& dtype) {
  return dtype == "u16" ? 2 : dtype == "u32" ? 4 : dtype == "u64" ? 8 : 0;
}

bool is_split(const std::string& path) {
  return path.starts_with(kSplitsPath) &&
         is_split_name(path.substr(std::string_view(kSplitsPath).size()));
}

// The element type that the format demands of a dataset; "" if it knows no such dataset.
std::string expected_dtype(const std::string& path, const CorpusAttributes& attributes) {
  if (path == kTokensPath) return token_dtype(attributes.vocab_size);
  if (path == kDocOffsetsPath || is_split(path)) return "u64";
  if (path == kDocBytesPath) return "u32";
  if (path == kDocSourcePath) return "u16";
  return "";
}

void check_attributes(const CorpusAttributes& a, const std::string& place) {
  const auto require = [&](bool ok, const char* name, auto value, const std::string& expected) {
    if (ok) return;
    fail(ExitCode::kBadData, place, ": attribute ", name, " is ", value, ", expected ", expected,
         ". Build the corpus again");
  };
  if (a.version > kCorpusVersion) {
    fail(ExitCode::kBadData, place, ": corpus version ", a.version, ", this program reads ",
         kCorpusVersion, ". Use the program that wrote it, or a newer one");
  }
  require(a.version == kCorpusVersion, "version", a.version, "1");
  require(a.vocab_size >= 1 && a.vocab_size <= kMaxVocabSize, "vocab_size", a.vocab_size,
          "1 to 4294967296");
  require(a.dtype == token_dtype(a.vocab_size), "dtype", a.dtype, token_dtype(a.vocab_size));
  require(a.documents >= 1, "documents", a.documents, "at least 1");
  require(a.tokens >= 1, "tokens", a.tokens, "at least 1");
  require(a.max_id < a.vocab_size, "max_id", a.max_id, concat("less than ", a.vocab_size));
  require(a.eos_id >= -1 && a.eos_id < static_cast<std::int64_t>(a.vocab_size), "eos_id", a.eos_id,
          concat("-1 or an id below ", a.vocab_size));
  require(a.sources.size() <= kMaxSources, "sources", a.sources.size(),
          concat("at most ", kMaxSources, " names"));
}

}  // namespace

bool is_split_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxSplitName &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

std::string manifest_path(const std::string& corpus) { return sidecar(corpus, ".manifest.json"); }

std::string corpus_tokenizer_path(const std::string& corpus) {
  return sidecar(corpus, ".tokenizer.json");
}

CorpusManifest make_manifest(const MappedFile& file, CorpusTable table,
                             const ProgressFunction& progress) {
  CorpusManifest manifest;
  manifest.file = std::filesystem::path(file.path()).filename().string();
  manifest.bytes = file.bytes().size();
  std::uint64_t total = manifest.bytes * 2;
  for (const auto& [path, entry] : table.datasets) total += entry.bytes;
  std::uint64_t done = 0;
  const auto advance = [&](std::size_t bytes) {
    done += bytes;
    if (progress) progress({"digesting", done, total});
  };
  const auto digest = [&](std::span<const std::byte> part) {
    auto stream = std::make_unique<StreamDigest>();
    while (!part.empty()) {
      const auto piece = part.first(std::min(part.size(), kPiece));
      stream->update(piece);
      part = part.subspan(piece.size());
      advance(piece.size());
    }
    return stream;
  };
  const auto whole = digest(file.bytes());
  manifest.sha256 = whole->sha256();
  manifest.xxh3_128 = whole->xxh3_128();
  for (std::uint64_t begin = 0; begin < manifest.bytes; begin += kBlockBytes) {
    const auto block = file.bytes().subspan(begin, std::min(kBlockBytes, manifest.bytes - begin));
    manifest.blocks.push_back(xxh3_128_hex(block));
    advance(block.size());
  }
  for (auto& [path, entry] : table.datasets) {
    const auto part = digest(file.bytes().subspan(entry.offset, entry.bytes));
    entry.sha256 = part->sha256();
    entry.xxh3_128 = part->xxh3_128();
  }
  manifest.fingerprint = corpus_fingerprint(table);
  manifest.table = std::move(table);
  return manifest;
}

std::string corpus_fingerprint(const CorpusTable& table) {
  Json identity = table_json(table);
  identity["attributes"].erase("created_by");
  for (auto& [path, entry] : identity["datasets"].items()) {
    for (const char* key : {"offset", "bytes", "xxh3_128"}) entry.erase(key);
  }
  return sha256_hex(identity.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string manifest_to_json(const CorpusManifest& manifest) {
  Json root = table_json(manifest.table);
  root["format"] = kCorpusManifestFormat;
  root["version"] = kCorpusManifestVersion;
  root["file"] = manifest.file;
  root["bytes"] = manifest.bytes;
  root["sha256"] = manifest.sha256;
  root["xxh3_128"] = manifest.xxh3_128;
  root["block_bytes"] = kBlockBytes;
  root["blocks"] = manifest.blocks;
  root["fingerprint"] = manifest.fingerprint;
  // A file name need not be UTF-8; JSON must be.
  root = Json::parse(root.dump(-1, ' ', false, Json::error_handler_t::replace));
  root["manifest_sha256"] = self_digest(root);
  return root.dump(1) + "\n";
}

CorpusManifest manifest_from_json(std::string_view json, const std::string& place) {
  const JsonValue value = parse_json(json, place, kLimits);
  const JsonReader root(value, place);
  if (root.at("format").text() != kCorpusManifestFormat) {
    root.at("format").refuse(kCorpusManifestFormat);
  }
  if (root.at("version").whole() > kCorpusManifestVersion) {
    fail(ExitCode::kBadData, place, ": version ", root.at("version").whole(),
         ", this program reads ", kCorpusManifestVersion,
         ". Use the program that wrote it, or a newer one");
  }
  if (root.at("manifest_sha256").text() != self_digest(Json::parse(json))) {
    fail(ExitCode::kBadData, place,
         ": was edited or damaged: it differs from its own digest. Copy it again, or write a new "
         "one: pretrain corpus verify --write-manifest CORPUS");
  }
  CorpusManifest manifest;
  manifest.file = root.at("file").text();
  manifest.bytes = root.at("bytes").whole();
  manifest.sha256 = root.at("sha256").text();
  manifest.xxh3_128 = root.at("xxh3_128").text();
  manifest.fingerprint = root.at("fingerprint").text();
  if (root.at("block_bytes").whole() != kBlockBytes) {
    root.at("block_bytes").refuse(std::to_string(kBlockBytes));
  }
  for (const JsonReader& block : root.at("blocks").items()) {
    manifest.blocks.push_back(block.text());
  }
  const std::uint64_t expected =
      manifest.bytes / kBlockBytes + (manifest.bytes % kBlockBytes == 0 ? 0 : 1);
  if (manifest.blocks.size() != expected) root.at("blocks").refuse("one digest a block");
  manifest.table = read_table(root);
  if (manifest.fingerprint != corpus_fingerprint(manifest.table)) {
    root.at("fingerprint").refuse("the digest of attributes and datasets");
  }
  return manifest;
}

CorpusManifest read_manifest(const std::string& corpus) {
  const std::string path = manifest_path(corpus);
  if (!std::filesystem::exists(path)) {
    fail(ExitCode::kBadData, corpus, ": has no manifest ", path,
         ". Copy it too, or write it: pretrain corpus verify --write-manifest ", corpus);
  }
  return manifest_from_json(InputFile::open(path).text(kMaxCorpusManifestBytes), path);
}

std::string sources_to_json(const std::vector<std::string>& sources) {
  return Json(sources).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> sources_from_json(std::string_view json, const std::string& place) {
  const JsonValue value = parse_json(json, place, kLimits);
  return read_texts(JsonReader(value, place));
}

std::string table_to_json(const CorpusTable& table) {
  return table_json(table).dump(-1, ' ', false, Json::error_handler_t::replace);
}

CorpusTable table_from_json(std::string_view json, const std::string& place) {
  const JsonValue value = parse_json(json, place, kLimits);
  return read_table(JsonReader(value, place));
}

void check_table(const CorpusTable& table, std::uint64_t file_bytes, const std::string& place) {
  const CorpusAttributes& a = table.attributes;
  check_attributes(a, place);
  const auto count_of = [&](const char* path, std::uint64_t expected, bool required) {
    const auto found = table.datasets.find(path);
    if (found == table.datasets.end() && !required) return;
    const std::uint64_t count = found == table.datasets.end() ? 0 : found->second.count;
    if (count != expected) {
      fail(ExitCode::kBadData, place, ": ", path, " has ", count, " elements, expected ", expected,
           ". Build the corpus again");
    }
  };
  if (a.documents == UINT64_MAX) fail(ExitCode::kBadData, place, ": documents overflow");
  count_of(kTokensPath, a.tokens, true);
  count_of(kDocOffsetsPath, a.documents + 1, true);
  count_of(kDocBytesPath, a.documents, false);
  count_of(kDocSourcePath, a.documents, false);
  if (a.sources.empty() != !table.datasets.contains(kDocSourcePath)) {
    fail(ExitCode::kBadData, place, ": ", kDocSourcePath,
         " and the attribute sources go together, ", "one of them is missing. Write both or none");
  }

  std::size_t splits = 0;
  for (const auto& [path, entry] : table.datasets) {
    const std::string dtype = expected_dtype(path, a);
    if (dtype.empty()) {
      fail(ExitCode::kBadData, place, ": holds a dataset that is no part of a corpus, expected ",
           kTokensPath, ", ", kDocOffsetsPath, ", ", kDocBytesPath, ", ", kDocSourcePath, " and ",
           kSplitsPath, "NAME. Remove it");
    }
    if (entry.dtype != dtype) {
      fail(ExitCode::kBadData, place, ": ", path, " has the type ", entry.dtype, ", expected ",
           dtype, " (little-endian). Write it with that type");
    }
    splits += is_split(path) ? 1 : 0;
    std::uint64_t bytes = 0;
    std::uint64_t end = 0;
    if (__builtin_mul_overflow(entry.count, element_bytes(dtype), &bytes) || bytes != entry.bytes ||
        __builtin_add_overflow(entry.offset, bytes, &end) || end > file_bytes ||
        (is_split(path) && entry.count % 2 != 0)) {
      fail(ExitCode::kBadData, place, ": ", path, " with ", entry.count, " elements at byte ",
           entry.offset, " does not fit into the ", file_bytes, " bytes of the file",
           ". Copy or build the corpus again");
    }
  }
  if (splits == 0 || splits > kMaxSplits) {
    fail(ExitCode::kBadData, place, ": has ", splits, " splits, expected 1 to ", kMaxSplits,
         ". Write one as ", kSplitsPath, "train");
  }
}

}  // namespace pretrain
