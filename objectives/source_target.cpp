#include "objectives/source_target.h"

#include <span>

#include "objectives/corruption/rows.h"

namespace pretrain {
namespace {

std::span<const std::int64_t> but_last(const std::vector<std::int64_t>& tokens) {
  return std::span(tokens).first(tokens.size() - 1);
}

}  // namespace

SourceTargetModel::SourceTargetModel(const ObjectiveContext& context, const std::string& objective)
    : model_(context.model),
      start_(context.special.pad),
      encoder_decoder_(context.model->kind() == ModelKind::kEncoderDecoder) {
  require_kind(context, objective, {ModelKind::kDecoder, ModelKind::kEncoderDecoder});
  if (!encoder_decoder_) context.model->prompt_pattern = Pattern::kPrefix;
  if (encoder_decoder_ && start_ < 0) {
    fail(ExitCode::kBadConfig, "objective.name ", objective,
         ": the tokenizer has no padding token ([PAD] or <pad>), which starts what ",
         context.model_name,
         " decodes. Add --special t5, to pretrain tokenizer train or, with byte and char, to "
         "pretrain corpus build");
  }
}

Batch SourceTargetModel::batch(const std::vector<SourceTarget>& pairs) const {
  Batch batch = encoder_decoder_ ? decoded(pairs) : prefixed(pairs);
  std::vector<std::int64_t> targets;
  for (const SourceTarget& pair : pairs) {
    targets.insert(targets.end(), pair.target.begin(), pair.target.end());
  }
  batch.targets = as_tensor(targets);
  batch.counts = {static_cast<std::int64_t>(targets.size())};
  return batch;
}

Batch SourceTargetModel::prefixed(const std::vector<SourceTarget>& pairs) const {
  Batch batch;
  SequenceBuilder inputs;
  std::vector<std::int64_t> rows;
  for (const SourceTarget& pair : pairs) {
    const auto prefix = static_cast<std::int64_t>(pair.source.size());
    const std::int64_t first = inputs.size() + prefix - 1;
    inputs.begin(pair.key, prefix);
    inputs.add(pair.source);
    inputs.add(but_last(pair.target));
    for (std::int64_t i = 0; i < std::ssize(pair.target); ++i) rows.push_back(first + i);
  }
  batch.positions = batch.real_tokens = inputs.size();
  batch.inputs = inputs.take();
  batch.target_rows = as_tensor(rows);
  return batch;
}

Batch SourceTargetModel::decoded(const std::vector<SourceTarget>& pairs) const {
  Batch batch;
  SequenceBuilder inputs, decoder;
  for (const SourceTarget& pair : pairs) {
    inputs.begin(pair.key);
    inputs.add(pair.source);
    decoder.begin(pair.key + 1);
    decoder.add(start_);
    decoder.add(but_last(pair.target));
  }
  batch.positions = batch.real_tokens = inputs.size() + decoder.size();
  batch.inputs = inputs.take();
  batch.decoder = decoder.take();
  return batch;
}

at::Tensor SourceTargetModel::loss(const Batch& batch, const TokenLossOptions& options) {
  if (batch.inputs.lengths.empty()) return no_loss(*model_);
  const Sequences* decoder = encoder_decoder_ ? &batch.decoder : nullptr;
  const at::Tensor features = model_->forward({batch.inputs, Pattern::kPrefix, decoder});
  return token_loss(*model_, features, batch, options);
}

double SourceTargetModel::flops(std::int64_t source, std::int64_t target) const {
  const auto read = static_cast<double>(source), predicted = static_cast<double>(target);
  const double head = predicted * head_flops(*model_);
  if (encoder_decoder_) {
    return 3.0 * (read * model_->body_flops_per_token(source) +
                  predicted * model_->decoder_flops_per_token(target, source) + head);
  }
  return 3.0 * ((read + predicted) * model_->body_flops_per_token(source + target) + head);
}

}  // namespace pretrain
