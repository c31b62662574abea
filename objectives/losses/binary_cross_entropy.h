#pragma once

#include <ATen/core/Tensor.h>

namespace pretrain {

/// Sum over elements of -log sigmoid(x) where label is 1 and -log(1 - sigmoid(x)) where it is 0, in
/// nats: logits [N] float, labels [N] bool or integer -> 0-dim float.
at::Tensor sum_binary_cross_entropy(const at::Tensor& logits, const at::Tensor& labels);

}  // namespace pretrain
