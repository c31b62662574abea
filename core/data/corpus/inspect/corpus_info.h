#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/corpus/inspect/length_histogram.h"

namespace pretrain {

/// What `pretrain corpus info` shows.
struct CorpusInfo {
  std::string path;
  std::uint64_t file_bytes = 0;
  CorpusTable table;                  ///< as the HDF5 file says
  std::string fingerprint;            ///< empty: no manifest
  LengthHistogram lengths;            ///< of documents, in tokens
  std::uint64_t empty_documents = 0;  ///< without a token
  bool has_document_bytes = false;
  std::vector<Corpus::SplitSize> splits;
  std::map<std::string, std::uint64_t> source_documents;  ///< by name; empty: not recorded

  std::string to_text() const;
  /// One JSON object: path, file_bytes, fingerprint, attributes by their names, bytes_per_token
  /// (null: not known), documents {shortest, longest, mean, empty, percentiles, histogram}, splits,
  /// sources. No line end.
  std::string to_json() const;
};

/// Reads attributes, layout and document lengths. Opens HDF5 in a child process (see probe_corpus).
/// Throws kBadData if the file is no valid corpus; a missing manifest is no fault here.
CorpusInfo corpus_info(const std::string& path);

}  // namespace pretrain
