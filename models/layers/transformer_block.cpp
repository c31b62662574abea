#include "models/layers/transformer_block.h"

#include <ATen/ops/add.h>

namespace pretrain {
namespace {

// Dropouts of a block, in the order of their numbers.
enum Drop : std::uint64_t { kWeights, kAttention, kCrossWeights, kCross, kFfn, kDropsOfBlock };

}  // namespace

TransformerBlock::TransformerBlock(const BlockShape& shape, std::int64_t layer)
    : shape_(shape),
      first_drop_(shape.first_drop + static_cast<std::uint64_t>(layer) * kDropsOfBlock) {
  const AttentionShape& a = shape.attention;
  const auto norm = [&](const char* name) {
    const auto type = shape.pre_norm ? a.compute : at::kFloat;
    return register_module(
        name, std::make_shared<Norm>(shape.norm, a.width, a.norm_eps, type, a.options));
  };
  attention_norm = norm("attention_norm");
  attention = register_module("attention", std::make_shared<SelfAttention>(a, layer));
  if (shape.cross) {
    cross_norm = norm("cross_norm");
    cross = register_module("cross", std::make_shared<CrossAttention>(a));
  }
  ffn_norm = norm("ffn_norm");
  ffn = register_module("ffn", std::make_shared<FeedForward>(a.width, shape.ffn, shape.activation,
                                                             a.bias, a.options));
}

DropoutAddress TransformerBlock::address(std::uint64_t drop) const {
  return {shape_.seed, first_drop_ + drop};
}

template <class Part>
at::Tensor TransformerBlock::add_part(const at::Tensor& x, Norm& norm, std::uint64_t drop,
                                      const Sequences& sequences, Part&& part) {
  const double p = is_training() ? shape_.dropout : 0;
  if (shape_.pre_norm) {
    return x + dropout(part(norm.forward(x)), p, address(drop), sequences.keys, sequences.lengths);
  }
  return norm.forward(x + dropout(part(x.to(shape_.attention.compute)), p, address(drop),
                                  sequences.keys, sequences.lengths));
}

at::Tensor TransformerBlock::forward(const at::Tensor& x, const AttentionInput& input,
                                     const Encoded* encoded) {
  AttentionInput own = input;
  own.rule.dropout = is_training() ? shape_.attention_dropout : 0;
  own.rule.address = address(kWeights);
  const Sequences& sequences = input.sequences;
  at::Tensor y = add_part(x, *attention_norm, kAttention, sequences,
                          [&](const at::Tensor& in) { return attention->forward(in, own); });
  if (cross) {
    AttentionRule rule;
    rule.pattern = Pattern::kBidirectional;
    rule.scale = input.rule.scale;
    rule.dropout = own.rule.dropout;
    rule.address = address(kCrossWeights);
    y = add_part(y, *cross_norm, kCross, sequences, [&](const at::Tensor& in) {
      return cross->forward(in, sequences, encoded->features, encoded->sequences, rule);
    });
  }
  return add_part(y, *ffn_norm, kFfn, sequences,
                  [&](const at::Tensor& in) { return ffn->forward(in); });
}

}  // namespace pretrain
