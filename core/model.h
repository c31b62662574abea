#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/TensorOptions.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <vector>

#include "core/registry.h"

namespace pretrain {

/// Keys and values of the positions a model has already seen, one entry a layer: [B, H, S, D] each.
/// Owned by whoever generates; the model appends to it.
struct KeyValueCache {
  std::vector<at::Tensor> keys;
  std::vector<at::Tensor> values;
  std::int64_t length = 0;  ///< S
};

/// What a model sees.
struct ModelInput {
  at::Tensor tokens;  ///< [B, T] int64
  KeyValueCache* cache =
      nullptr;  ///< continue after these positions (generation); null: start at 0
};

/// Projection from features to logits: logits = features weight^T (+ bias).
struct OutputHead {
  at::Tensor weight;        ///< [V padded, d], often the input embedding itself
  at::Tensor bias;          ///< [V padded] or undefined
  std::int64_t vocab_size;  ///< rows beyond are padding and never win a softmax
};

/// A network from tokens to hidden features. Logits are made only where an objective asks for them.
class Model : public torch::nn::Module {
 public:
  /// Features [B, T, d] in the compute type. Throws kBadData if T exceeds max_positions().
  virtual at::Tensor forward(const ModelInput& input) = 0;
  virtual OutputHead head() = 0;
  /// Draws all weights by address (seed, parameter name): independent of ranks, threads and device.
  virtual void initialize(std::uint64_t seed) = 0;
  virtual std::int64_t max_positions() const = 0;
  /// Forward FLOPs of one token in rows of `length` without the head: 2 per multiply-add, lookups
  /// 0, causal attention counted half.
  virtual double body_flops_per_token(std::int64_t length) const = 0;
  /// Bytes that one token of a training forward leaves for the backward pass, without the head.
  virtual double activation_bytes_per_token() const = 0;
};

/// What every model is built from besides its own options.
struct ModelContext {
  std::int64_t vocab_size = 0;          ///< of the tokenizer
  std::int64_t sequence_length = 0;     ///< longest row it will be trained on
  at::ScalarType compute = at::kFloat;  ///< type of matrix products: float or bfloat16
  at::TensorOptions options = {};       ///< where the fp32 parameters are made; kMeta: sizes only
};

/// Implementations of Model, chosen by `model.name`.
Registry<Model, ModelContext>& models();

}  // namespace pretrain
