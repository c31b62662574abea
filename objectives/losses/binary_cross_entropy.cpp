#include "objectives/losses/binary_cross_entropy.h"

#include <ATen/ops/binary_cross_entropy_with_logits.h>

namespace pretrain {

at::Tensor sum_binary_cross_entropy(const at::Tensor& logits, const at::Tensor& labels) {
  return at::binary_cross_entropy_with_logits(logits, labels.to(logits.scalar_type()), {}, {},
                                              at::Reduction::Sum);
}

}  // namespace pretrain
