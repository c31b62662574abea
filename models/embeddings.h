#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "core/model.h"
#include "models/layers/norm.h"
#include "models/transformer_options.h"

namespace pretrain {

/// What a stack of blocks begins with: the tables of tokens, positions and segments, their sum, and
/// in encoders its norm.
class Embeddings : public torch::nn::Module {
 public:
  struct Shape {
    std::int64_t segments = 0;  ///< rows of the table of segments: BERT has 2
    bool norm = false;          ///< after the sum
    bool scale = false;         ///< times sqrt(width), as in Vaswani et al. 2017
    std::int64_t offset = 0;    ///< row of the first position; RoBERTa: pad id + 1
  };
  Embeddings(const TransformerOptions& options, const Shape& shape, const ModelContext& context);
  /// [N, embedding width] fp32; positions count on from `first`.
  at::Tensor forward(const Sequences& sequences, std::int64_t first);

  at::Tensor token;     ///< [V padded, e]
  at::Tensor position;  ///< [offset + positions, e]; a table that is not learned is no parameter
  at::Tensor segment;   ///< [2, e] or undefined
  std::shared_ptr<Norm> norm;  ///< or null

 private:
  TransformerOptions options_;
  Shape shape_;
  std::uint64_t seed_;
};

}  // namespace pretrain
