#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/corpus/inspect/length_histogram.h"
#include "core/data/corpus/progress.h"
#include "core/data/packing/packing.h"

namespace pretrain {

/// Rows to count: those of causal_lm, of `sequence_length` positions, in each of the packings.
struct RowQuestion {
  std::uint64_t sequence_length = 0;  ///< at least 1
  std::string split = "train";
  std::vector<std::string> packings = packing_names();
};

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
  std::optional<RowQuestion> question;
  std::vector<RowStatistics> rows;  ///< of each packing asked for

  std::string to_text() const;
  /// One JSON object: path, file_bytes, fingerprint, attributes by their names, bytes_per_token
  /// (null: not known), documents {shortest, longest, mean, empty, percentiles, histogram}, splits,
  /// sources, rows {sequence_length, split, packings {NAME: {rows, row_positions, padding,
  /// documents, cut_documents, truncation, sequences, unused_tokens}}} (null: not asked for).
  /// padding and truncation are shares from 0 to 1. No line end.
  std::string to_json() const;
};

/// Reads attributes, layout and document lengths. Opens HDF5 in a child process (see probe_corpus).
/// Throws kBadData if the file is no valid corpus, or if its split does not fill one of the rows
/// asked for; a missing manifest is no fault here.
CorpusInfo corpus_info(const std::string& path,
                       const std::optional<RowQuestion>& question = std::nullopt,
                       const ProgressFunction& progress = {});

}  // namespace pretrain
