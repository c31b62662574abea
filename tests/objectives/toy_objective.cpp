// What a new objective takes: this file and its registration line. It predicts each token from the
// one before the last, so that its loss is no other objective's.

#include "core/objective.h"
#include "objectives/losses/linear_cross_entropy.h"

namespace pretrain {
namespace {

class SkipOneLm : public Objective {
 public:
  struct Options {
    double weight = 1.0;
    void visit(OptionVisitor& visitor) {
      visitor.option("weight", weight, {.meaning = "of the loss", .min = 0, .max = 100});
    }
  };

  SkipOneLm(const Options& options, const ObjectiveContext& context)
      : length_(context.sequence_length),
        model_(register_module("model", context.model)),
        terms_{{"skip_one", options.weight}} {}

  const std::vector<LossTerm>& terms() const override { return terms_; }
  RowShape row_shape() const override { return {length_ + 1, 1}; }

  Batch prepare(const TokenBatch& tokens) const override {
    const std::int64_t rows = tokens.tokens.size(0);
    const std::int64_t length = tokens.tokens.size(1) - 2;
    Batch batch;
    batch.inputs.tokens = tokens.tokens.narrow(1, 0, length).reshape(-1);
    batch.inputs.lengths.assign(tokens.sample_ids.size(), length);
    batch.targets = tokens.tokens.narrow(1, 2, length).reshape(-1);
    batch.counts = {rows * length};
    batch.sample_ids = tokens.sample_ids;
    batch.positions = batch.real_tokens = rows * length;
    return batch;
  }
  std::vector<at::Tensor> loss(const Batch& batch) override {
    const at::Tensor features = model_->forward({batch.inputs});
    return {linear_cross_entropy(features, model_->head(), batch.targets)};
  }
  double flops_per_token(std::int64_t length) const override {
    return 3 * model_->body_flops_per_token(length);
  }
  bool is_likelihood() const override { return false; }
  Model& model() override { return *model_; }

 private:
  std::int64_t length_;
  std::shared_ptr<Model> model_;
  std::vector<LossTerm> terms_;
};

const bool kRegistered = objectives().add<SkipOneLm>("skip_one_lm");

}  // namespace
}  // namespace pretrain
