#include "objectives/decoding/decoder_state.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "objectives/corruption/rows.h"
#include "objectives/losses/linear_cross_entropy.h"

namespace pretrain {
namespace {

// All of it a prefix, where the pattern asks for one.
std::shared_ptr<const Sequences> one_sequence(const std::vector<std::int64_t>& tokens,
                                              c10::Device device) {
  auto sequences = std::make_shared<Sequences>();
  sequences->tokens = as_tensor(tokens).to(device);
  sequences->lengths = {static_cast<std::int64_t>(tokens.size())};
  sequences->prefixes = sequences->lengths;
  return sequences;
}

}  // namespace

DecoderState::DecoderState(Model& model, const std::vector<std::int64_t>& source) : model_(&model) {
  if (model.kind() == ModelKind::kEncoderDecoder) {
    if (source.empty()) fail(ExitCode::kUsage, "generate: the prompt is empty. Give some text");
    source_ = one_sequence(source, model.head().weight.device());
  } else if (model.kind() != ModelKind::kDecoder) {
    fail(ExitCode::kUsage, "generate: the model is ", to_string(model.kind()),
         ", which writes no text");
  }
}

std::vector<float> DecoderState::read(const std::vector<std::int64_t>& tokens) {
  const c10::AutoGradMode no_grad(false);
  const OutputHead head = model_->head();
  const auto next = one_sequence(tokens, head.weight.device());
  const Pattern pattern = cache_.length == 0 ? model_->prompt_pattern : Pattern::kCausal;
  const ModelInput input = source_ == nullptr
                               ? ModelInput{*next, pattern, nullptr, &cache_}
                               : ModelInput{*source_, Pattern::kCausal, next.get(), &cache_};
  const at::Tensor features = model_->forward(input);
  const at::Tensor last = model_->head_features(features.narrow(0, features.size(0) - 1, 1));
  const at::Tensor logits = logits_of(last, head).to(at::kCPU).contiguous();
  const float* values = logits.const_data_ptr<float>();
  return {values, values + logits.numel()};
}

std::vector<double> log_probabilities(const std::vector<float>& logits) {
  const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  const double normalizer = largest + std::log(sum);
  std::vector<double> logs;
  for (const float logit : logits) logs.push_back(static_cast<double>(logit) - normalizer);
  return logs;
}

}  // namespace pretrain
