// Causal language modelling: predict each token from those before it.

#include "core/objective.h"
#include "objectives/linear_cross_entropy.h"

namespace pretrain {
namespace {

class CausalLm : public Objective {
 public:
  struct Options {
    void visit(OptionVisitor&) {}
  };

  CausalLm(const Options&, const ObjectiveContext& context)
      : model_(register_module("model", context.model)) {}

  const std::vector<LossTerm>& terms() const override {
    static const std::vector<LossTerm> terms{{"lm", 1.0}};
    return terms;
  }

  Batch prepare(const TokenBatch& tokens) const override {
    const std::int64_t rows = tokens.tokens.size(0);
    const std::int64_t length = tokens.tokens.size(1) - 1;
    Batch batch;
    batch.inputs = tokens.tokens.narrow(1, 0, length);
    batch.targets = tokens.tokens.narrow(1, 1, length);
    batch.counts = {rows * length};
    batch.sample_ids = tokens.sample_ids;
    batch.positions = batch.real_tokens = rows * length;
    return batch;
  }

  std::vector<at::Tensor> loss(const Batch& batch) override {
    const at::Tensor features = model_->forward({batch.inputs});  // [B, T, d]
    return {linear_cross_entropy(features.flatten(0, 1), model_->head(), batch.targets.flatten())};
  }

  double flops_per_token(std::int64_t length) const override {
    const OutputHead head = model_->head();
    const double logits = 2.0 * static_cast<double>(head.vocab_size * head.weight.size(1));
    return 3.0 * (model_->body_flops_per_token(length) + logits);
  }

  bool is_likelihood() const override { return true; }
  Model& model() override { return *model_; }

 private:
  std::shared_ptr<Model> model_;
};

const bool kRegistered = objectives().add<CausalLm>("causal_lm");

}  // namespace
}  // namespace pretrain
