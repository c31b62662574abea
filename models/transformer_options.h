#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/model.h"
#include "models/layers/transformer_block.h"

namespace pretrain {

/// Options of all transformers. A family sets its own defaults before they are read: a model with
/// other values is still that family, and can be exported if its class has the feature.
struct TransformerOptions {
  std::int64_t layers = 12;
  std::int64_t hidden = 768;
  std::int64_t heads = 12;
  std::optional<std::int64_t> kv_heads;
  std::optional<std::int64_t> head_dim;
  std::optional<std::int64_t> ffn;
  std::optional<std::int64_t> max_positions;
  std::optional<std::int64_t> embedding_size;
  std::string activation = "gelu_tanh";
  std::string norm = "layernorm";
  double norm_eps = 1e-5;
  std::string norm_place = "pre";
  bool bias = true;
  bool qk_norm = false;
  std::string position = "learned";
  double rope_theta = 1e4;
  std::int64_t relative_buckets = 32;
  std::int64_t relative_distance = 128;
  std::int64_t window = 0;
  bool tie_embeddings = true;
  double dropout = 0;
  double attention_dropout = 0;
  std::string init = "scaled_normal";
  double init_std = 0.02;
  std::int64_t pad_vocab_to = 64;

  void visit(OptionVisitor& visitor);

  std::int64_t key_heads() const { return kv_heads.value_or(heads); }
  std::int64_t head_width() const { return head_dim.value_or(hidden / heads); }
  std::int64_t embedding_width() const { return embedding_size.value_or(hidden); }
  /// 4 x hidden; gated 8/3 x hidden rounded up to a multiple of 64, so that weights stay the same.
  std::int64_t inner_width() const;
  std::int64_t padded_vocab(std::int64_t vocab_size) const;
  bool pre_norm() const { return norm_place == "pre"; }
  NormKind norm_kind() const {
    return norm == "rmsnorm" ? NormKind::kRmsNorm : NormKind::kLayerNorm;
  }
  /// Rows of the position table or of the rotary one. Throws kBadConfig if it is shorter than
  /// data.sequence_length.
  std::int64_t positions(const ModelContext& context) const;
  BlockShape block_shape(const ModelContext& context) const;
  /// Throws kBadConfig naming the options that contradict each other.
  void check() const;

  /// Forward FLOPs of one token in `layers` blocks of rows of `length`; `seen` is the mean share of
  /// the row that a position sees (0.5 if causal).
  double flops_per_token(std::int64_t length, double seen) const;
  /// What one token leaves for the backward pass in `layers` blocks. With recomputation the inputs
  /// of all of them, and the whole of the one whose turn it is.
  double activation_bytes_per_token(at::ScalarType compute, bool recompute) const;
};

}  // namespace pretrain
