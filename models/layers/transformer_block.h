#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "core/model.h"
#include "models/layers/attention.h"
#include "models/layers/layer_norm.h"
#include "models/layers/linear.h"

namespace pretrain {

/// Sizes of a transformer block.
struct BlockShape {
  std::int64_t width = 0;  ///< of the residual stream
  std::int64_t heads = 0;
  std::int64_t ffn = 0;  ///< inner width of the feed-forward part
  double norm_eps = 1e-5;
  at::ScalarType compute = at::kFloat;
  at::TensorOptions options = {};  ///< where the parameters live
};

/// Pre-norm block of GPT-2 (Radford et al. 2019): x += attention(norm(x)); x += ffn(norm(x)), with
/// GELU in its tanh form. The residual stream stays fp32 whatever the compute type.
class TransformerBlock : public torch::nn::Module {
 public:
  TransformerBlock(const BlockShape& shape, std::int64_t layer);
  /// [B, T, width] fp32 -> [B, T, width] fp32
  at::Tensor forward(const at::Tensor& x, KeyValueCache* cache);

  std::shared_ptr<LayerNorm> attention_norm;
  std::shared_ptr<CausalSelfAttention> attention;
  std::shared_ptr<LayerNorm> ffn_norm;
  std::shared_ptr<Linear> up;
  std::shared_ptr<Linear> down;
};

}  // namespace pretrain
