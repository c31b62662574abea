#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/communicator.h"
#include "core/data/evaluation_dataset.h"
#include "core/objective.h"
#include "core/run/flags_record.h"

namespace pretrain {

/// One term of the objective over a set.
struct EvaluationTerm {
  LossTerm term;
  double nats = 0;     ///< sum over its targets
  double targets = 0;  ///< 0: the set has none for it
};

/// Loss of one set: every token scored once.
struct EvaluationResult {
  std::string set;
  std::vector<EvaluationTerm> terms;  ///< in the objective's order, at least one
  std::optional<double> bytes;        ///< of the text behind the targets
  double seconds = 0;
  bool is_likelihood = false;  ///< of the text: perplexity means something

  /// As in training: the terms by their factors (LossTerm).
  double loss() const;
  /// The terms' means by name.
  std::map<std::string, double> parts() const;
  /// nats / ln 2 / bytes; empty if bytes are not known or the loss is no likelihood.
  std::optional<double> bits_per_byte() const;
};

/// A named set of text to evaluate on; borrowed.
struct EvaluationSet {
  std::string name;
  const EvaluationDataset* dataset = nullptr;
  bool lossless = true;  ///< the tokens give the text back: there are bits per byte
};

/// Measures the loss on the evaluation sets. The ranks share the rows; sums are made in fp64 in row
/// order, so the result depends on the number of ranks only through rounding.
class Evaluator {
 public:
  /// `micro_batch` rows a forward. Borrows all references.
  Evaluator(Objective& objective, Communicator& control, std::vector<EvaluationSet> sets,
            std::int64_t micro_batch);

  const std::vector<EvaluationSet>& sets() const { return sets_; }
  /// All sets. Collective. `stop_request` is asked on every rank after each batch; if any rank
  /// wants to stop, all give up and return nothing.
  std::optional<std::vector<EvaluationResult>> evaluate(
      const std::function<StopRequest()>& stop_request);

 private:
  std::optional<EvaluationResult> evaluate_set(const EvaluationSet& set,
                                               const std::function<StopRequest()>& stop_request);
  Batch read_rows(const EvaluationDataset& dataset, std::uint64_t first, std::uint64_t count) const;

  Objective& objective_;
  Communicator& control_;
  std::vector<EvaluationSet> sets_;
  std::int64_t micro_batch_;
};

}  // namespace pretrain
