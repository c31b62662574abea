#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "core/model.h"
#include "models/layers/dropout.h"

namespace pretrain {

/// How a layer attends, apart from its operands.
struct AttentionRule {
  Pattern pattern = Pattern::kCausal;
  double scale = 1;         ///< of the scores; 1 / sqrt(D) but for T5
  std::int64_t window = 0;  ///< a query sees this many positions up to itself; 0: no limit
  double dropout = 0;       ///< of the attention weights
  DropoutAddress address;
  /// Added to the scores: [1 or H, queries, keys] for sequences of these lengths, the first query
  /// at `first`; empty: nothing. May carry a gradient.
  std::function<at::Tensor(std::int64_t queries, std::int64_t keys, std::int64_t first)> bias;
};

/// The sequences of an attention: where queries and keys of each lie in the stacks of rows.
struct AttentionBounds {
  const std::vector<std::int64_t>& queries;  ///< lengths
  const std::vector<std::int64_t>& keys;  ///< lengths; the same as queries but for cross-attention
  const std::vector<std::int64_t>& prefixes;  ///< for kPrefix
  const std::vector<std::uint64_t>& draws;    ///< keys of dropout; empty: none
};

/// softmax(scale q k^T + bias) v for each sequence on its own; never a mask over the whole batch.
/// q [Nq, H, D], k and v [Nk, Hkv, D] with Hkv dividing H (grouped queries share keys, Ainslie et
/// al. 2023), all of one type -> [Nq, H, D]. Sequences of one length are done together.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const AttentionBounds& bounds, const AttentionRule& rule);

/// The same for queries that continue one sequence: q [T, H, D] after S - T of its S keys.
at::Tensor attend_onwards(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const AttentionRule& rule);

}  // namespace pretrain
