#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/corpus/progress.h"

namespace pretrain {

/// What `pretrain corpus merge` and `corpus split` wrote.
struct RewriteResult {
  std::string path;
  CorpusManifest manifest;
  std::vector<Corpus::SplitSize> splits;
  std::vector<std::string> empty_splits;  ///< asked for, but no document came to them
  bool bytes_dropped = false;  ///< some inputs had no byte counts, so the output has none

  /// One line without a line end.
  std::string to_text() const;
};

struct CorpusMergeOptions {
  std::vector<std::string> inputs = {};
  std::string output = {};
  bool force = false;
  std::string created_by = "pretrain";
};

/// Joins corpora of one tokenizer: their documents in the order of `inputs`, splits of one name
/// joined, /doc_source telling the input of each document: the sources that it names itself, else
/// the name of its file without folder and ending (the whole path if two are alike). Byte counts
/// and tokenizer sidecar are kept if all inputs have them. Inputs are verified first. Memory does
/// not grow with the corpora, but for their ranges of splits.
///
/// Throws kBadData naming two inputs whose tokenizer, vocabulary or end token differ, or a damaged
/// one; kUsage for fewer than two; kCannotCreate; kIo.
RewriteResult merge_corpora(const CorpusMergeOptions& options,
                            const ProgressFunction& progress = {});

/// Share of the documents for a split.
struct SplitShare {
  std::string name;
  double share = 0;  ///< in [0, 1]
};

/// "train=0.98,valid=0.01,test=0.01" -> its parts. Throws kUsage for a wrong name, one given twice,
/// a share outside [0, 1], or a sum that is not 1.
std::vector<SplitShare> parse_split_shares(const std::string& text);

struct SplitOptions {
  std::string input = {};
  std::string output = {};  ///< may be `input` with `force`
  std::vector<SplitShare> shares = {};
  bool force = false;
  std::string created_by = "pretrain";
};

/// Writes the corpus again with other splits, all else as it was. A document's split follows from
/// its tokens alone: the XXH3-64 of its ids as u32, as a fraction of 2^64, falls into one of the
/// intervals that the shares cut [0, 1) into, in the order given with `train` last. So a document
/// keeps its side when the corpus grows or is merged, equal documents are on one side, and a larger
/// share for `valid` given first takes from `train` alone. (corpus build hashes the document's
/// number instead: it knows it before the tokens, but a document in front moves all others.)
RewriteResult split_corpus(const SplitOptions& options, const ProgressFunction& progress = {});

}  // namespace pretrain
