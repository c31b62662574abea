#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "core/model.h"
#include "models/attention/attend.h"
#include "models/attention/positions.h"
#include "models/layers/linear.h"
#include "models/layers/norm.h"

namespace pretrain {

/// Sizes of an attention.
struct AttentionShape {
  std::int64_t width = 0;  ///< of the residual stream
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;    ///< divides heads
  std::int64_t head_width = 0;  ///< D
  bool bias = true;
  bool qk_norm = false;  ///< RMS norm over each head of q and k (Henry et al. 2020)
  double norm_eps = 1e-6;
  at::ScalarType compute = at::kFloat;
  at::TensorOptions options = {};
};

/// What the attentions of a forward share: the sequences, and the positions of their tokens.
struct AttentionInput {
  const Sequences& sequences;
  AttentionRule rule;
  const RotaryTable* rotary = nullptr;
  at::Tensor positions;  ///< [N] int64; only with rotary
  KeyValueCache* cache = nullptr;
};

/// Multi-head self-attention (Vaswani et al. 2017), with one projection for q, k and v.
class SelfAttention : public torch::nn::Module {
 public:
  /// `layer` is this layer's index in a KeyValueCache.
  SelfAttention(const AttentionShape& shape, std::int64_t layer);
  /// x [N, width] in the compute type -> [N, width]. With a cache, x continues the cached sequence
  /// and this layer's keys and values are appended to it.
  at::Tensor forward(const at::Tensor& x, const AttentionInput& input);

  std::shared_ptr<Linear> qkv;     ///< width -> (heads + 2 kv_heads) D: q, k, v side by side
  std::shared_ptr<Linear> output;  ///< heads D -> width
  std::shared_ptr<Norm> q_norm;    ///< null without qk_norm
  std::shared_ptr<Norm> k_norm;

 private:
  AttentionShape shape_;
  std::size_t layer_;
};

/// Attention of a decoder to an encoder's features.
class CrossAttention : public torch::nn::Module {
 public:
  explicit CrossAttention(const AttentionShape& shape);
  /// x [N, width] of `decoder`'s sequences; encoded [M, width] of `encoder`'s -> [N, width]
  at::Tensor forward(const at::Tensor& x, const Sequences& decoder, const at::Tensor& encoded,
                     const Sequences& encoder, const AttentionRule& rule);

  std::shared_ptr<Linear> q;
  std::shared_ptr<Linear> kv;  ///< k, v side by side
  std::shared_ptr<Linear> output;

 private:
  AttentionShape shape_;
};

}  // namespace pretrain
