#include "models/transformer_stack.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "models/layers/embedding.h"
#include "models/layers/recompute.h"

namespace pretrain {

TransformerStack::TransformerStack(const TransformerOptions& options, const Shape& shape,
                                   const ModelContext& context)
    : options_(options), shape_(shape), compute_(context.compute), recompute_(context.recompute) {
  options.check();
  if (options.embedding_width() != options.hidden) {
    project = register_module("project", std::make_shared<Linear>(options.embedding_width(),
                                                                  options.hidden, context.options));
  }
  BlockShape block = options.block_shape(context);
  block.cross = shape.cross;
  block.first_drop = shape.number << 20;
  for (std::int64_t layer = 0; layer < options.layers; ++layer) {
    blocks.push_back(register_module("block" + std::to_string(layer),
                                     std::make_shared<TransformerBlock>(block, layer)));
  }
  if (shape.final_norm) {
    final_norm = register_module(
        "final_norm", std::make_shared<Norm>(options.norm_kind(), options.hidden, options.norm_eps,
                                             compute_, context.options));
  }
  if (options.position == "relative") {
    relative_bias = register_parameter(
        "relative_bias", at::empty({options.relative_buckets, options.heads}, context.options));
  }
  if (options.position == "rotary" && !context.options.device().is_meta()) {
    rotary_ = rotary_table(options.positions(context), options.head_width(), options.rope_theta,
                           context.options);
  }
  if (options.position == "alibi") {
    alibi_ = at::tensor(alibi_slopes(options.heads)).view({-1, 1, 1}).to(context.options);
  }
}

AttentionRule TransformerStack::rule(Pattern pattern, c10::Device device) const {
  AttentionRule rule;
  rule.pattern = pattern;
  rule.window = options_.window;
  if (shape_.scaled_scores) rule.scale = 1 / std::sqrt(static_cast<double>(options_.head_width()));
  if (relative_bias.defined()) {
    rule.bias = [=, this](std::int64_t queries, std::int64_t keys, std::int64_t first) {
      const at::Tensor buckets =
          relative_buckets(queries, keys, first, pattern == Pattern::kBidirectional,
                           options_.relative_buckets, options_.relative_distance);
      return embed_tokens(relative_bias, buckets.to(device)).permute({2, 0, 1});  // [H, Tq, Tk]
    };
  }
  if (alibi_.defined()) {
    rule.bias = [=, this](std::int64_t queries, std::int64_t keys, std::int64_t first) {
      const at::Tensor q = at::arange(first, first + queries, alibi_.options()).unsqueeze(1);
      const at::Tensor k = at::arange(keys, alibi_.options()).unsqueeze(0);
      return alibi_ * -(q - k).abs();
    };
  }
  return rule;
}

at::Tensor TransformerStack::forward(at::Tensor x, const Sequences& sequences, Pattern pattern,
                                     KeyValueCache* cache, const Encoded* encoded) {
  const std::int64_t first = cache != nullptr ? cache->length : 0;
  AttentionInput input{sequences, rule(pattern, x.device()), nullptr, {}, cache};
  if (rotary_.cosine.defined()) {
    input.rotary = &rotary_;
    input.positions = position_ids(sequences.lengths, first, x.device());
  }
  if (cache != nullptr) {
    cache->keys.resize(blocks.size());
    cache->values.resize(blocks.size());
  }
  if (project) x = project->forward(x.to(compute_)).to(at::kFloat);
  // What a block sees besides x must not carry a gradient, so decoders of an encoder keep theirs.
  if (recompute_ && cache == nullptr && encoded == nullptr && c10::GradMode::is_enabled()) {
    const auto held = std::make_shared<const Sequences>(sequences);
    for (const auto& block : blocks) {
      x = recomputed(
          [=](const at::Tensor& in) {
            return block->forward(in, {*held, input.rule, input.rotary, input.positions}, nullptr);
          },
          x);
    }
  } else {
    for (const auto& block : blocks) x = block->forward(x, input, encoded);
  }
  if (cache != nullptr) cache->length += sequences.tokens.size(0);
  return final_norm ? final_norm->forward(x) : x.to(compute_);
}

}  // namespace pretrain
