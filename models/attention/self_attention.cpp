#include "models/attention/self_attention.h"

#include <ATen/ops/cat.h>

namespace pretrain {

SelfAttention::SelfAttention(const AttentionShape& shape, std::int64_t layer)
    : shape_(shape), layer_(static_cast<std::size_t>(layer)) {
  const std::int64_t d = shape.head_width;
  qkv = register_module(
      "qkv", std::make_shared<Linear>(shape.width, (shape.heads + 2 * shape.kv_heads) * d,
                                      shape.options, shape.bias));
  output = register_module(
      "output", std::make_shared<Linear>(shape.heads * d, shape.width, shape.options, shape.bias));
  if (!shape.qk_norm) return;
  const auto norm = [&] {
    return std::make_shared<Norm>(NormKind::kRmsNorm, d, shape.norm_eps, shape.compute,
                                  shape.options);
  };
  q_norm = register_module("q_norm", norm());
  k_norm = register_module("k_norm", norm());
}

at::Tensor SelfAttention::forward(const at::Tensor& x, const AttentionInput& input) {
  const std::int64_t h = shape_.heads, g = shape_.kv_heads, d = shape_.head_width;
  const auto parts = qkv->forward(x).view({-1, h + 2 * g, d}).split_with_sizes({h, g, g}, 1);
  at::Tensor q = parts[0], k = parts[1], v = parts[2];  // [N, heads, D]
  if (q_norm) {
    q = q_norm->forward(q);
    k = k_norm->forward(k);
  }
  if (input.rotary != nullptr) {
    q = rotate(q, input.positions, *input.rotary);
    k = rotate(k, input.positions, *input.rotary);
  }
  at::Tensor mixed;
  const Sequences& s = input.sequences;
  KeyValueCache* cache = input.cache;
  if (cache != nullptr && cache->length > 0) {
    k = at::cat({cache->keys[layer_], k});
    v = at::cat({cache->values[layer_], v});
    mixed = attend_onwards(q, k, v, input.rule);
  } else {
    mixed = attend(q, k, v, {s.lengths, s.lengths, s.prefixes, s.keys}, input.rule);
  }
  if (cache != nullptr) {
    cache->keys[layer_] = k;
    cache->values[layer_] = v;
  }
  return output->forward(mixed.reshape({-1, h * d}));
}

CrossAttention::CrossAttention(const AttentionShape& shape) : shape_(shape) {
  const std::int64_t inner = shape.heads * shape.head_width;
  q = register_module("q", std::make_shared<Linear>(shape.width, inner, shape.options, shape.bias));
  kv = register_module("kv",
                       std::make_shared<Linear>(shape.width, 2 * inner, shape.options, shape.bias));
  output = register_module("output",
                           std::make_shared<Linear>(inner, shape.width, shape.options, shape.bias));
}

at::Tensor CrossAttention::forward(const at::Tensor& x, const Sequences& decoder,
                                   const at::Tensor& encoded, const Sequences& encoder,
                                   const AttentionRule& rule) {
  const std::int64_t h = shape_.heads, d = shape_.head_width;
  const auto parts = kv->forward(encoded).view({-1, 2 * h, d}).chunk(2, 1);
  const std::vector<std::int64_t> no_prefixes;
  const at::Tensor mixed =
      attend(q->forward(x).view({-1, h, d}), parts[0], parts[1],
             {decoder.lengths, encoder.lengths, no_prefixes, decoder.keys}, rule);
  return output->forward(mixed.reshape({-1, h * d}));
}

}  // namespace pretrain
