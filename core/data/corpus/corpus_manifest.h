#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/files/mapped_file.h"
#include "core/data/corpus/corpus_format.h"
#include "core/data/corpus/progress.h"

namespace pretrain {

/// NAME.manifest.json: all that training needs to read NAME.h5 without an HDF5 parser, and to know
/// that its bytes are the ones that were built.
///
/// Keys: format, version, file, bytes, sha256, xxh3_128, block_bytes, blocks, datasets {path:
/// {offset, bytes, dtype, count, xxh3_128, sha256}}, attributes, fingerprint, manifest_sha256.
struct CorpusManifest {
  std::string file;                 ///< base name of the corpus when it was built
  std::uint64_t bytes = 0;          ///< size of the corpus file
  std::string sha256;               ///< of the whole file
  std::string xxh3_128;             ///< of the whole file
  std::vector<std::string> blocks;  ///< XXH3-128 of each kBlockBytes of the file
  CorpusTable table;
  std::string fingerprint;  ///< SHA-256 of attributes and dataset digests: what the corpus *is*
};

/// True if /splits/`name` may be a dataset: a name that is safe to show and to type.
bool is_split_name(const std::string& name);

/// "data/kjv.h5" -> "data/kjv.manifest.json".
std::string manifest_path(const std::string& corpus);
/// "data/kjv.h5" -> "data/kjv.tokenizer.json".
std::string corpus_tokenizer_path(const std::string& corpus);

/// Digests of `file`, whose layout is `table` (already checked against the file's size).
CorpusManifest make_manifest(const MappedFile& file, CorpusTable table,
                             const ProgressFunction& progress);

/// SHA-256 of the canonical JSON of the attributes without created_by and of the datasets' types,
/// counts and SHA-256. The place of a dataset in the file is no part of it.
std::string corpus_fingerprint(const CorpusTable& table);

/// The text of NAME.manifest.json, with manifest_sha256 over all the rest.
std::string manifest_to_json(const CorpusManifest& manifest);
/// Reads it back. Throws kBadData, message starting with `place`, if a key is missing or of another
/// type, if the version is newer, or if the text does not agree with its own digests.
CorpusManifest manifest_from_json(std::string_view json, const std::string& place);
/// The manifest beside `corpus`. Throws kBadData if it is missing (the message says what to run).
CorpusManifest read_manifest(const std::string& corpus);

/// The attribute `sources` of the file: a JSON list of texts.
std::string sources_to_json(const std::vector<std::string>& sources);
/// Reads it back. Throws kBadData, message starting with `place`.
std::vector<std::string> sources_from_json(std::string_view json, const std::string& place);

/// The table as JSON, to pass it between processes; read back under the rules of a manifest.
std::string table_to_json(const CorpusTable& table);
CorpusTable table_from_json(std::string_view json, const std::string& place);

/// Checks that `table` describes a version 1 corpus inside a file of `file_bytes` bytes: known
/// datasets of the right type, counts that agree, nothing beyond the end of the file, ids below
/// vocab_size. All sums are checked for overflow. Throws kBadData, message starting with `place`.
void check_table(const CorpusTable& table, std::uint64_t file_bytes, const std::string& place);

}  // namespace pretrain
