// Prefix language modelling (Raffel et al. 2019): the first part of a row is seen both ways, the
// rest is predicted token by token. An encoder-decoder reads the prefix with its encoder.

#include <algorithm>
#include <cmath>

#include "core/base/random.h"
#include "core/objective.h"
#include "objectives/corruption/rows.h"
#include "objectives/source_target.h"

namespace pretrain {
namespace {

class PrefixLm : public Objective {
 public:
  struct Options {
    std::optional<double> prefix;
    TokenLossOptions loss;
    void visit(OptionVisitor& visitor) {
      visitor.option("prefix", prefix,
                     {.meaning = "seen both ways, no loss; uniform: 1 to all but one position",
                      .unit = "of row",
                      .min = 0,
                      .max = 1,
                      .null_word = "uniform",
                      .identity = true});
      loss.visit(visitor);
    }
  };

  PrefixLm(const Options& options, const ObjectiveContext& context)
      : options_(options),
        seed_(context.seed),
        length_(context.sequence_length),
        document_end_(context.document_mask ? context.special.eos : -1),
        bos_(context.special.bos),
        pairs_(context, "prefix_lm"),
        model_(register_module("model", context.model)) {}

  const std::vector<LossTerm>& terms() const override {
    static const std::vector<LossTerm> terms{{"lm", 1.0}};
    return terms;
  }

  RowShape row_shape() const override { return predicted_rows(length_, bos_); }

  Batch prepare(const TokenBatch& tokens) const override {
    std::vector<SourceTarget> pairs;
    for (const auto& [text, key] : texts_of(tokens, document_end_, bos_)) {
      if (text.size() < 2) continue;  // nothing to predict
      const auto prefix = text.begin() + prefix_length(std::ssize(text) - 1, key);
      pairs.push_back({key, {text.begin(), prefix}, {prefix, text.end()}});
    }
    Batch batch = pairs_.batch(pairs);
    batch.sample_ids = tokens.sample_ids;
    return batch;
  }

  std::vector<at::Tensor> loss(const Batch& batch) override {
    return {pairs_.loss(batch, options_.loss)};
  }

  double flops_per_token(std::int64_t length) const override {
    const double share = options_.prefix.value_or(0.5);
    const auto prefix = std::clamp<std::int64_t>(std::llround(share * static_cast<double>(length)),
                                                 1, std::max<std::int64_t>(1, length - 1));
    return pairs_.flops(prefix, std::max<std::int64_t>(1, length - prefix)) /
           static_cast<double>(length);
  }

  bool is_likelihood() const override { return false; }  // of a part of the text only
  Model& model() override { return *model_; }

 private:
  // At least one position, and at least one target behind it.
  std::int64_t prefix_length(std::int64_t length, std::uint64_t key) const {
    if (!options_.prefix) {
      RandomStream random(seed_, RandomPurpose::kObjective, key);
      return 1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(length)));
    }
    const auto wanted = std::llround(*options_.prefix * static_cast<double>(length));
    return std::clamp<std::int64_t>(wanted, 1, length);
  }

  Options options_;
  std::uint64_t seed_;
  std::int64_t length_;
  std::int64_t document_end_;  // -1: rows are cut nowhere
  std::int64_t bos_;           // -1: nothing opens a text
  SourceTargetModel pairs_;
  std::shared_ptr<Model> model_;
};

const bool kRegistered = objectives().add<PrefixLm>("prefix_lm");

}  // namespace
}  // namespace pretrain
