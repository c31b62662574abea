#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/data/corpus/build/batch_pool.h"
#include "core/data/corpus/build/batch_reader.h"
#include "core/data/corpus/build/build_journal.h"
#include "core/data/corpus/build/document_spool.h"
#include "core/data/corpus/build/seen_documents.h"
#include "core/data/corpus/build/split_chooser.h"
#include "core/data/corpus/filter/quality_filter.h"
#include "core/data/corpus/progress.h"
#include "core/text/tokenizer.h"

namespace pretrain {

/// What a pass over the inputs is to do.
struct BuildPass {
  std::vector<std::string> inputs;  ///< for training, then for validation
  std::size_t validation = 0;       ///< the first one that is for validation
  TextFormat format;
  std::uint64_t input_bytes = 0;  ///< of all inputs; 0: not known
  std::size_t jobs = 1;
  std::uint64_t part_bytes = 0;  ///< of inputs between two commits, see BuildOptions
  QualityRules quality;
  DuplicateRules duplicates;
};

/// Reads, encodes and stores the documents of all inputs: this thread reads and stores, `jobs`
/// others parse and encode batches of DocumentBatchReader::kBatchBytes. What is stored does not
/// depend on how many they are. At most 2 * jobs + 2 batches, or one record that is larger, are in
/// memory with their tokens.
class CorpusBuild {
 public:
  /// Borrows all arguments. `state`, `spool` and `seen` (nullptr: duplicates stay) are where an
  /// earlier pass stopped. `commit` is called at the end of each part, to make all of them durable;
  /// empty: never.
  CorpusBuild(const BuildPass& pass, const Tokenizer& tokenizer, BuildState& state,
              DocumentSpool& spool, SeenDocuments* seen, SplitChooser& splits,
              std::function<void()> commit);
  /// Until the inputs end. Throws kBadData naming the first document in order that is bad.
  void run(const ProgressFunction& progress);

 private:
  void work(BuildBatch& batch) const;
  void store(const BuildBatch& batch);
  void commit_if_due();

  const BuildPass& pass_;
  const Tokenizer& tokenizer_;
  BuildState& state_;
  DocumentSpool& spool_;
  SeenDocuments* seen_;
  SplitChooser& splits_;
  std::function<void()> commit_;
  std::uint64_t committed_bytes_;
  std::chrono::steady_clock::time_point committed_at_ = std::chrono::steady_clock::now();
};

}  // namespace pretrain
