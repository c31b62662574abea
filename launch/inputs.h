#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/evaluation_dataset.h"
#include "core/data/token_dataset.h"
#include "core/objective.h"
#include "core/run/evaluator.h"
#include "core/text/tokenizer.h"
#include "launch/config/run_config.h"

namespace pretrain {

/// The files a run reads, opened and checked against each other.
struct RunInputs {
  std::vector<std::shared_ptr<const Corpus>> corpora;  ///< training sources, in order
  std::unique_ptr<Tokenizer> tokenizer;                ///< the one they were built with
  std::unique_ptr<TokenDataset> train;
  std::vector<std::shared_ptr<const Corpus>> evaluation_corpora;
  std::vector<std::unique_ptr<EvaluationDataset>> evaluation;
  std::vector<std::string> set_names;  ///< of `evaluation`
  std::string verified;                ///< what was compared of the corpora, in words

  std::vector<EvaluationSet> evaluation_sets() const;
  std::vector<std::string> fingerprints() const;
};

/// Opens corpora and tokenizer; cut_rows makes the data sets. Throws kBadData naming the file:
/// missing, damaged, or made with another tokenizer.
/// kBadConfig: two sources or sets of one name, a prompt that the tokenizer does not know.
RunInputs open_inputs(const RunConfig& config, VerifyShare share = {},
                      const ProgressFunction& progress = {});

/// Cuts the corpora into rows as the objective wants them. Throws kBadData naming the file: too
/// short for a row, or without the split asked for.
void cut_rows(RunInputs& inputs, const RunConfig& config, const RowShape& row);

}  // namespace pretrain
