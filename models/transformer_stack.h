#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/model.h"
#include "models/layers/transformer_block.h"
#include "models/transformer_options.h"

namespace pretrain {

/// The blocks of a transformer between its embeddings and its head.
class TransformerStack : public torch::nn::Module {
 public:
  struct Shape {
    bool cross = false;         ///< decodes an encoder's features
    bool final_norm = false;    ///< after the last block
    bool scaled_scores = true;  ///< by 1 / sqrt(D); T5 does without
    std::uint64_t number = 0;   ///< of the stack in its model: its dropouts are others
  };
  TransformerStack(const TransformerOptions& options, const Shape& shape,
                   const ModelContext& context);

  /// x [N, e] fp32, e the embedding width -> features [N, hidden] in the compute type.
  at::Tensor forward(at::Tensor x, const Sequences& sequences, Pattern pattern,
                     KeyValueCache* cache = nullptr, const Encoded* encoded = nullptr);

  std::shared_ptr<Linear> project;  ///< e -> hidden; null if they are equal
  std::vector<std::shared_ptr<TransformerBlock>> blocks;
  std::shared_ptr<Norm> final_norm;  ///< or null
  at::Tensor relative_bias;          ///< [buckets, heads] or undefined

 private:
  AttentionRule rule(Pattern pattern, c10::Device device) const;

  TransformerOptions options_;
  Shape shape_;
  at::ScalarType compute_;
  bool recompute_;
  RotaryTable rotary_;
  at::Tensor alibi_;  // [heads, 1, 1]
};

}  // namespace pretrain
