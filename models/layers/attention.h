#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "core/model.h"
#include "models/layers/linear.h"

namespace pretrain {

/// Causal multi-head self-attention (Vaswani et al. 2017): softmax(q k^T / sqrt(D)) v over the
/// positions up to each query, heads of width D = width / heads, one projection for q, k, v.
class CausalSelfAttention : public torch::nn::Module {
 public:
  /// `layer` is this layer's index in a KeyValueCache.
  CausalSelfAttention(std::int64_t width, std::int64_t heads, std::int64_t layer,
                      const at::TensorOptions& options);
  /// x [B, T, width] -> [B, T, width]. With a cache, x continues after cache->length positions and
  /// this layer's keys and values are appended to it.
  at::Tensor forward(const at::Tensor& x, KeyValueCache* cache);

  std::shared_ptr<Linear> qkv;     ///< width -> 3 width: q, k, v side by side
  std::shared_ptr<Linear> output;  ///< width -> width

 private:
  std::int64_t heads_;
  std::int64_t layer_;
};

}  // namespace pretrain
