#pragma once

#include <ATen/core/Tensor.h>

namespace pretrain {

/// True if `parameter` has a gradient buffer that a backward function may add to itself. For large
/// tables this saves making a gradient of the whole table just to have it added. The function then
/// returns an undefined gradient for the parameter.
inline bool accumulates_in_place(const at::Tensor& parameter) {
  return parameter.is_leaf() && parameter.grad().defined();
}

}  // namespace pretrain
