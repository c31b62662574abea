#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "models/attention/self_attention.h"
#include "models/layers/feed_forward.h"
#include "models/layers/norm.h"

namespace pretrain {

/// Sizes and choices of a transformer block.
struct BlockShape {
  AttentionShape attention;
  std::int64_t ffn = 0;  ///< inner width of the feed-forward part
  Activation activation = Activation::kGeluTanh;
  NormKind norm = NormKind::kLayerNorm;
  bool pre_norm = true;
  bool cross = false;  ///< attends to an encoder between its two other parts
  double dropout = 0;
  double attention_dropout = 0;
  std::uint64_t seed = 0;        ///< of dropout
  std::uint64_t first_drop = 0;  ///< number of the first dropout of the stack's blocks
};

/// What a block of a decoder sees of the encoder.
struct Encoded {
  const at::Tensor& features;  ///< [M, width] in the compute type
  const Sequences& sequences;
};

/// A block: self-attention, perhaps cross-attention, feed-forward, each with its norm and a
/// residual sum; pre-norm x += part(norm(x)) (Radford et al. 2019) or post-norm x = norm(x +
/// part(x)) (Vaswani et al. 2017). The residual stream stays fp32 whatever the compute type.
class TransformerBlock : public torch::nn::Module {
 public:
  TransformerBlock(const BlockShape& shape, std::int64_t layer);
  /// [N, width] fp32 -> [N, width] fp32
  at::Tensor forward(const at::Tensor& x, const AttentionInput& input, const Encoded* encoded);

  std::shared_ptr<Norm> attention_norm;
  std::shared_ptr<SelfAttention> attention;
  std::shared_ptr<Norm> cross_norm;  ///< null without cross
  std::shared_ptr<CrossAttention> cross;
  std::shared_ptr<Norm> ffn_norm;
  std::shared_ptr<FeedForward> ffn;

 private:
  DropoutAddress address(std::uint64_t drop) const;
  template <class Part>
  at::Tensor add_part(const at::Tensor& x, Norm& norm, std::uint64_t drop,
                      const Sequences& sequences, Part&& part);

  BlockShape shape_;
  std::uint64_t first_drop_;
};

}  // namespace pretrain
