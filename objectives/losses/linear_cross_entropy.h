#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/model.h"
#include "objectives/losses/softmax_cross_entropy.h"

namespace pretrain {

/// Most logits that exist at a time: large enough that the products run at full speed and the
/// weight gradient is touched rarely.
inline constexpr std::int64_t kLogitsChunkBytes = 256 << 20;

/// Sum over rows of the cross-entropy of softmax(features weight^T + bias) against the targets, in
/// nats.
///
/// features [N, d] float or bfloat16; targets [N] int64 or kNoTarget. The logits [N, V] never exist
/// as a whole: a chunk of rows at a time is projected, turned into loss and gradient in place, and
/// multiplied back, all in the forward pass, so that the backward pass only scales. Returns a 0-dim
/// float tensor.
at::Tensor linear_cross_entropy(const at::Tensor& features, const OutputHead& head,
                                const at::Tensor& targets, const CrossEntropyExtras& extras = {});

/// Logits [N, vocab_size] in fp32 of features [N, d]: for generation and tests.
at::Tensor logits_of(const at::Tensor& features, const OutputHead& head);

}  // namespace pretrain
