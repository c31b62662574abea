#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace pretrain {

/// What is added to the plain loss of a row with logits l and normalizer Z = logsumexp(l).
struct CrossEntropyExtras {
  /// e: the target distribution is (1 - e) onehot + e / V (Szegedy et al. 2016).
  double label_smoothing = 0;
  /// Times Z^2, which keeps Z near 0 (Chowdhery et al. 2022).
  double z_loss = 0;
};

/// Softmax cross-entropy of a block of rows, and its gradient in place.
///
/// logits [n, V padded] float or bfloat16, contiguous; targets [n] int64 on the same device, each
/// in [0, vocab_size) or kNoTarget. Columns from vocab_size on do not take part. On return every
/// row of `logits` holds the gradient, without extras softmax(row) - onehot(target), 0 in padded
/// columns and in rows without target. Returns the sum over rows of logsumexp(row) - row[target] (+
/// extras) in nats, 0-dim double.
at::Tensor softmax_cross_entropy_(at::Tensor& logits, const at::Tensor& targets,
                                  std::int64_t vocab_size, const CrossEntropyExtras& extras = {});

}  // namespace pretrain
