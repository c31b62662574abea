#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/evaluation_dataset.h"
#include "core/data/packing/packing.h"
#include "core/data/token_dataset.h"
#include "core/objective.h"
#include "core/run/evaluator.h"
#include "core/text/tokenizer.h"
#include "launch/config/data_plan.h"
#include "launch/config/run_config.h"

namespace pretrain {

/// One of data.sources: a corpus or its shards, and the rows they are cut into.
struct InputSource {
  std::string name;
  std::vector<CorpusSplit> shards;
  std::unique_ptr<Dataset> rows;

  /// Of the content: the corpus's own, or a digest over all shards.
  std::string fingerprint() const;
};

/// The files a run reads, opened and checked against each other.
struct RunInputs {
  std::vector<InputSource> sources;      ///< as in data.sources
  std::unique_ptr<Tokenizer> tokenizer;  ///< the one they were built with
  std::vector<std::vector<CorpusSplit>> evaluation_shards;
  std::vector<std::unique_ptr<EvaluationDataset>> evaluation;
  std::vector<std::string> set_names;  ///< of `evaluation`
  std::string verified;                ///< what was compared of the corpora, in words

  /// Of all sources.
  std::vector<std::shared_ptr<const Corpus>> corpora() const;
  std::vector<const Dataset*> datasets() const;
  std::vector<PlannedSource> planned() const;
  std::uint64_t rows() const;
  std::uint64_t positions() const;
  /// Are there tokens that must come from the disk first?
  bool is_cold() const;

  std::vector<EvaluationSet> evaluation_sets() const;
  std::vector<std::string> fingerprints() const;
};

/// Opens corpora and tokenizer; cut_rows makes the data sets. Throws kBadData naming the file:
/// missing, damaged, or made with another tokenizer.
/// kBadConfig: two sources or sets of one name, a prompt that the tokenizer does not know.
RunInputs open_inputs(const RunConfig& config, VerifyShare share = {},
                      const ProgressFunction& progress = {});

/// Cuts the corpora into rows as the objective wants them. Throws kBadData naming the file: too
/// short for a row, or without the split asked for. kBadConfig: the objective cannot take rows of
/// pieces, as the packing or a phase wants them, or needs other rows where a source has one.
void cut_rows(RunInputs& inputs, const RunConfig& config, const Objective& objective);

}  // namespace pretrain
