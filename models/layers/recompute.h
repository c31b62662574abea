#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace pretrain {

/// block(x) whose activations are not kept: the backward pass makes them again (Chen et al. 2016).
/// `block` must be a pure function of x and of parameters that are leaves; it runs twice.
at::Tensor recomputed(const std::function<at::Tensor(const at::Tensor&)>& block,
                      const at::Tensor& x);

}  // namespace pretrain
