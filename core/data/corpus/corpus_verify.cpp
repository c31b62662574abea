#include "core/data/corpus/corpus_verify.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/files/directory.h"
#include "core/data/corpus/corpus_probe.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kTokensAtOnce = std::uint64_t{1} << 20;
constexpr std::uint64_t kSampledShare = 100;
constexpr std::size_t kMaxProblems = 20;

// Largest token id of the corpus; throws kBadData for one that is not below vocab_size.
std::uint64_t scan_tokens(const Corpus& corpus, const ProgressFunction& progress) {
  std::vector<std::int64_t> ids(std::min(kTokensAtOnce, corpus.tokens()));
  std::int64_t largest = 0;
  for (std::uint64_t begin = 0; begin < corpus.tokens(); begin += ids.size()) {
    const std::span part =
        std::span(ids).first(std::min<std::uint64_t>(ids.size(), corpus.tokens() - begin));
    corpus.read_tokens(begin, part);
    largest = std::max(largest, *std::max_element(part.begin(), part.end()));
    if (progress) progress({"verifying", begin + part.size(), corpus.tokens()});
  }
  return static_cast<std::uint64_t>(largest);
}

// Throws kBadData for a document whose source has no name.
void check_sources(const Corpus& corpus) {
  for (std::uint64_t d = 0; corpus.has_document_sources() && d < corpus.documents(); ++d) {
    corpus.document_source(d);
  }
}

// A manifest without digests, for a file that has none.
CorpusManifest bare_manifest(const std::string& path, CorpusTable table) {
  CorpusManifest manifest;
  manifest.bytes = std::filesystem::file_size(path);
  manifest.table = std::move(table);
  return manifest;
}

// Fills in what the file leaves out; `max_id` aside, which takes reading all tokens.
CorpusTable complete(CorpusTable table, const std::string& path) {
  CorpusAttributes& a = table.attributes;
  const auto count = [&](const char* name) {
    const auto found = table.datasets.find(name);
    return found == table.datasets.end() ? 0 : found->second.count;
  };
  if (a.dtype.empty()) a.dtype = token_dtype(a.vocab_size);
  if (a.tokens == 0) a.tokens = count(kTokensPath);
  if (a.documents == 0 && count(kDocOffsetsPath) > 0) a.documents = count(kDocOffsetsPath) - 1;
  check_table(table, std::filesystem::file_size(path), path);
  const auto doc_bytes = table.datasets.find(kDocBytesPath);
  if (a.bytes == 0 && doc_bytes != table.datasets.end()) {
    const MappedFile file(path);
    for (std::uint64_t d = 0; d < a.documents; ++d) {
      std::uint32_t bytes = 0;
      const auto at = file.bytes().subspan(doc_bytes->second.offset + d * sizeof bytes);
      std::copy_n(at.begin(), sizeof bytes, reinterpret_cast<std::byte*>(&bytes));
      a.bytes += bytes;
    }
  }
  return table;
}

// HDF5's view and the manifest's must be the same, digests aside.
void compare_tables(const CorpusTable& hdf5, const CorpusTable& manifest,
                    std::vector<std::string>& problems) {
  if (hdf5.attributes != manifest.attributes) {
    problems.push_back("the attributes in the file differ from those in the manifest");
  }
  for (const auto& [name, entry] : manifest.datasets) {
    const auto found = hdf5.datasets.find(name);
    if (found == hdf5.datasets.end()) {
      problems.push_back(name + " is in the manifest but not in the file");
    } else if (found->second.offset != entry.offset || found->second.count != entry.count ||
               found->second.dtype != entry.dtype) {
      problems.push_back(name + " has another place, length or type than the manifest says");
    }
  }
  for (const auto& [name, entry] : hdf5.datasets) {
    if (!manifest.datasets.contains(name)) {
      problems.push_back(name + " is in the file but not in the manifest");
    }
  }
}

// All blocks, or the first and every hundredth, each compared; differences become lines.
void compare_blocks(const MappedFile& file, const CorpusManifest& manifest, bool deep,
                    const ProgressFunction& progress, std::vector<std::string>& problems) {
  const std::uint64_t bytes = std::min<std::uint64_t>(file.bytes().size(), manifest.bytes);
  for (std::uint64_t block = 0; block * kBlockBytes < bytes; block += deep ? 1 : kSampledShare) {
    const std::uint64_t offset = block * kBlockBytes;
    const auto part = file.bytes().subspan(offset, std::min(kBlockBytes, bytes - offset));
    if (xxh3_128_hex(part) != manifest.blocks[block] && problems.size() < kMaxProblems) {
      problems.push_back(concat("block ", block, " (from byte ", offset, ", ", part.size(),
                                " bytes) differs from its manifest"));
    }
    if (progress) progress({"verifying", offset + part.size(), bytes});
  }
}

void compare_datasets(const MappedFile& file, const CorpusManifest& manifest, bool deep,
                      std::vector<std::string>& problems) {
  for (const auto& [name, entry] : manifest.table.datasets) {
    if (name == kTokensPath && !deep) continue;
    if (xxh3_128_hex(file.bytes().subspan(entry.offset, entry.bytes)) != entry.xxh3_128) {
      problems.push_back(name + " differs from its manifest");
    }
  }
}

// Runs a check that throws; its message becomes a line.
template <class Check>
void collect(std::vector<std::string>& problems, Check&& check) {
  try {
    check();
  } catch (const Error& error) {
    if (error.code() != ExitCode::kBadData) throw;
    problems.emplace_back(error.what());
  }
}

}  // namespace

CorpusTable probe_complete(const std::string& path) { return complete(probe_corpus(path), path); }

std::shared_ptr<const Corpus> open_without_manifest(const std::string& path, CorpusTable table) {
  auto corpus = std::make_shared<const Corpus>(path, bare_manifest(path, std::move(table)),
                                               CorpusVerification::kSizes, ProgressFunction{});
  corpus->check_documents();
  return corpus;
}

VerifyReport verify_corpus(const std::string& path, bool deep, const ProgressFunction& progress) {
  VerifyReport report;
  const MappedFile file(path);
  std::optional<CorpusManifest> manifest;
  if (!std::filesystem::exists(manifest_path(path))) read_manifest(path);  // throws what to run
  collect(report.problems, [&] { manifest = read_manifest(path); });
  collect(report.problems, [&] {
    CorpusTable table = probe_complete(path);
    if (!manifest) return;
    // A file of another program need not say its largest id.
    if (table.attributes.max_id == 0) table.attributes.max_id = manifest->table.attributes.max_id;
    compare_tables(table, manifest->table, report.problems);
  });
  if (!manifest) return report;

  compare_blocks(file, *manifest, deep, progress, report.problems);
  collect(report.problems, [&] {
    const Corpus corpus(path, *manifest, CorpusVerification::kSizes, {});
    corpus.check_documents();
    compare_datasets(file, *manifest, deep, report.problems);
    const std::uint64_t max_id = deep ? scan_tokens(corpus, progress) : corpus.attributes().max_id;
    if (max_id != corpus.attributes().max_id) {
      report.problems.push_back(concat("the largest token id is ", max_id,
                                       ", expected the attribute max_id ", corpus.max_id()));
    }
    if (deep) check_sources(corpus);
    if (std::filesystem::exists(corpus_tokenizer_path(path))) corpus.load_tokenizer();
  });
  if (deep && report.ok()) {
    const CorpusManifest again = make_manifest(file, manifest->table, progress);
    if (again.sha256 != manifest->sha256 || again.fingerprint != manifest->fingerprint) {
      report.problems.push_back("SHA-256 digests differ from the manifest");
    }
  }
  report.checked = concat(path, ": manifest, HDF5 layout, sizes, offsets, splits, ",
                          deep ? "every byte and token id" : "tables and one token block in 100");
  return report;
}

CorpusManifest write_manifest(const std::string& path, bool force,
                              const ProgressFunction& progress) {
  const std::string output = manifest_path(path);
  if (!force && std::filesystem::exists(output)) {
    fail(ExitCode::kCannotCreate, output, ": exists already. Give --force to replace it");
  }
  CorpusTable table = probe_complete(path);
  const auto corpus = open_without_manifest(path, table);
  check_sources(*corpus);
  const std::uint64_t max_id = scan_tokens(*corpus, progress);
  if (table.attributes.max_id != 0 && table.attributes.max_id != max_id) {
    fail(ExitCode::kBadData, path, ": attribute max_id is ", table.attributes.max_id,
         ", the largest token id is ", max_id, ". Correct it");
  }
  table.attributes.max_id = max_id;
  const CorpusManifest manifest = make_manifest(MappedFile(path), table, progress);
  Directory::open_parent(output).replace_text(std::filesystem::path(output).filename().string(),
                                              manifest_to_json(manifest));
  return manifest;
}

std::string VerifyReport::to_text() const {
  if (ok()) return "ok: " + checked + "\n";
  std::string text;
  for (const std::string& problem : problems) text += problem + "\n";
  return text;
}

}  // namespace pretrain
