#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

namespace pretrain {

/// y = x W^T + b with fp32 parameters W [out, in], b [out]. The type of x (float or bfloat16) is
/// the type of the product and of y; gradients of the parameters come back in fp32.
class Linear : public torch::nn::Module {
 public:
  /// `options` say where the parameters live; they are not initialised.
  Linear(std::int64_t in, std::int64_t out, const at::TensorOptions& options, bool bias = true);
  /// [..., in] -> [..., out]
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight;
  at::Tensor bias;  ///< undefined without bias
};

}  // namespace pretrain
