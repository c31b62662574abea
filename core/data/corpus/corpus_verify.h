#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/corpus/progress.h"

namespace pretrain {

/// What `pretrain corpus info` shows.
struct CorpusInfo {
  std::string path;
  std::uint64_t file_bytes = 0;
  CorpusTable table;                    ///< as the HDF5 file says
  std::string fingerprint;              ///< empty: no manifest
  std::uint64_t shortest_document = 0;  ///< tokens
  std::uint64_t longest_document = 0;   ///< tokens
  bool has_document_bytes = false;
  std::vector<Corpus::SplitSize> splits;

  std::string to_text() const;
};

/// What `pretrain corpus verify` found.
struct VerifyReport {
  std::vector<std::string> problems;  ///< one line each; empty: all is well
  std::string checked;                ///< one line: what was compared

  bool ok() const { return problems.empty(); }
  std::string to_text() const;
};

/// Reads attributes, layout and document lengths. Opens HDF5 in a child process (see probe_corpus).
/// Throws kBadData if the file is no valid corpus; a missing manifest is no fault here.
CorpusInfo corpus_info(const std::string& path);

/// Compares corpus, manifest and tokenizer sidecar: HDF5's own view (in a child process), sizes,
/// the digests of all tables and of one token block in 100; with `deep` the digest of every byte,
/// the range of every token id, and SHA-256. Faults found become lines of the report; throws
/// kBadData only if file or manifest are missing.
VerifyReport verify_corpus(const std::string& path, bool deep,
                           const ProgressFunction& progress = {});

/// Writes the manifest of an HDF5 corpus that another program made, after reading every byte of it:
/// attributes it leaves out are computed, those it has must be right. Throws kBadData naming the
/// fault, kCannotCreate if a manifest exists and `force` is not set.
CorpusManifest write_manifest(const std::string& path, bool force,
                              const ProgressFunction& progress = {});

}  // namespace pretrain
