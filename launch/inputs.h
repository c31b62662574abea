#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/evaluation_dataset.h"
#include "core/data/token_dataset.h"
#include "core/run/evaluator.h"
#include "core/text/tokenizer.h"
#include "launch/config/run_config.h"

namespace pretrain {

/// The files a run reads, opened and checked against each other.
struct RunInputs {
  std::vector<std::shared_ptr<const Corpus>> corpora;  ///< training sources, in order
  std::unique_ptr<Tokenizer> tokenizer;                ///< the one they were built with
  std::unique_ptr<TokenDataset> train;
  std::vector<std::unique_ptr<EvaluationDataset>> evaluation;
  std::vector<std::string> set_names;  ///< of `evaluation`
  std::string verified;                ///< what was compared of the corpora, in words

  std::vector<EvaluationSet> evaluation_sets() const;
  std::vector<std::string> fingerprints() const;
};

/// Opens corpora, tokenizer and evaluation sets. Throws kBadData naming the file: missing, damaged,
/// too short for data.sequence_length, made with another tokenizer, or without the split asked for.
/// kBadConfig: two sources or sets of one name, a prompt that the tokenizer does not know.
RunInputs open_inputs(const RunConfig& config, VerifyShare share = {},
                      const ProgressFunction& progress = {});

}  // namespace pretrain
