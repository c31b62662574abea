#include "objectives/token_loss.h"

#include <algorithm>

namespace pretrain {

void TokenLossOptions::visit(OptionVisitor& visitor) {
  visitor.option("label_smoothing", extras.label_smoothing,
                 {.meaning = "share of the target that is spread over all tokens",
                  .min = 0,
                  .max = 0.999,
                  .identity = true});
  visitor.option(
      "z_loss", extras.z_loss,
      {.meaning = "weight of the squared log normalizer", .min = 0, .max = 1, .identity = true});
}

at::Tensor target_features(const at::Tensor& features, const Batch& batch) {
  return batch.target_rows.defined() ? features.index_select(0, batch.target_rows) : features;
}

at::Tensor token_loss(Model& model, const at::Tensor& features, const Batch& batch,
                      const TokenLossOptions& options) {
  if (batch.targets.numel() == 0) return no_loss(model);
  const CrossEntropyExtras extras = model.is_training() ? options.extras : CrossEntropyExtras{};
  return linear_cross_entropy(model.head_features(target_features(features, batch)), model.head(),
                              batch.targets, extras);
}

at::Tensor no_loss(Model& model) {
  const auto parameters = model.parameters();
  const auto trained = std::find_if(parameters.begin(), parameters.end(),
                                    [](const at::Tensor& p) { return p.requires_grad(); });
  return (trained == parameters.end() ? parameters.front() : *trained).narrow(0, 0, 0).sum();
}

const ObjectiveContext& require_kind(const ObjectiveContext& context, const std::string& objective,
                                     const std::vector<ModelKind>& kinds) {
  const ModelKind kind = context.model->kind();
  if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return context;
  std::string wanted;
  for (const ModelKind fitting : kinds) {
    wanted += (wanted.empty() ? "" : " or ") + std::string(to_string(fitting));
  }
  fail(ExitCode::kBadConfig, "objective.name ", objective, " needs ", wanted, "; model.name ",
       context.model_name, " is ", to_string(kind),
       ". Choose another model.name: gpt1, gpt2 and llama are decoders, bert and roberta encoders, "
       "electra an encoder with a generator (without one if model.generator.size=0), t5 an "
       "encoder-decoder");
}

double head_flops(Model& model) {
  const OutputHead head = model.head();
  return 2.0 * static_cast<double>(head.vocab_size * head.weight.size(1));
}

}  // namespace pretrain
