#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/corpus/progress.h"

namespace pretrain {

/// What `pretrain corpus verify` found.
struct VerifyReport {
  std::vector<std::string> problems;  ///< one line each; empty: all is well
  std::string checked;                ///< one line: what was compared

  bool ok() const { return problems.empty(); }
  std::string to_text() const;
};

/// What HDF5 says of the file (see probe_corpus), with the counts it leaves out filled in, max_id
/// aside, and checked by check_table.
CorpusTable probe_complete(const std::string& path);
/// The corpus as `table` says, without digests to compare it with.
std::shared_ptr<const Corpus> open_without_manifest(const std::string& path, CorpusTable table);

/// Compares corpus, manifest and tokenizer sidecar: HDF5's own view (in a child process), sizes,
/// the digests of all tables and of one token block in 100; with `deep` the digest of every byte,
/// the range of every token id and source, and SHA-256. Faults found become lines of the report;
/// throws kBadData only if file or manifest are missing.
VerifyReport verify_corpus(const std::string& path, bool deep,
                           const ProgressFunction& progress = {});

/// Writes the manifest of an HDF5 corpus that another program made, after reading every byte of it:
/// attributes it leaves out are computed, those it has must be right. Throws kBadData naming the
/// fault, kCannotCreate if a manifest exists and `force` is not set.
CorpusManifest write_manifest(const std::string& path, bool force,
                              const ProgressFunction& progress = {});

}  // namespace pretrain
