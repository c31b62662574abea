#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/files/pending_file.h"
#include "core/data/corpus/build/document_spool.h"
#include "core/data/corpus/corpus_manifest.h"

namespace pretrain {

/// Document ranges by the name of the split.
using CorpusSplits = std::map<std::string, std::vector<DocumentRange>>;

/// What becomes of NAME.tokenizer.json.
struct TokenizerSidecar {
  std::string json = {};  ///< its text; empty: there is none, and an old one is removed
  bool keep = false;      ///< what is there already stays, whatever `json` is
};

/// A shard of a spool as corpus, manifest and tokenizer, complete and durable on disk under
/// temporary names. They vanish with this object unless published.
class PreparedCorpus {
 public:
  /// `path`: NAME.h5 to be. `splits` are of the whole spool; ranges without a document here are
  /// left out. The spool is flushed.
  /// Throws kCannotCreate for a full disk, kIo.
  PreparedCorpus(const std::string& path, DocumentSpool& spool, const SpoolShard& shard,
                 const CorpusSplits& splits, const TokenizerSidecar& tokenizer,
                 const ProgressFunction& progress);

  const std::string& path() const { return path_; }
  const CorpusManifest& manifest() const { return manifest_; }

 private:
  friend void publish(const std::vector<std::unique_ptr<PreparedCorpus>>& corpora);
  std::string path_;
  PendingFile corpus_;
  PendingFile manifest_file_;
  std::optional<PendingFile> tokenizer_file_;
  bool keep_tokenizer_;
  CorpusManifest manifest_;
};

/// Gives all corpora, which lie in one folder, their names. Without a manifest there is no corpus:
/// old ones go first, the new ones come last, when everything else is durable.
void publish(const std::vector<std::unique_ptr<PreparedCorpus>>& corpora);

}  // namespace pretrain
