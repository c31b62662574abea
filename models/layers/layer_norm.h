#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

namespace pretrain {

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over the last dimension (Ba et al. 2016),
/// computed in fp32 and returned in the type `compute`.
class LayerNorm : public torch::nn::Module {
 public:
  /// `options` say where the parameters live; they are not initialised.
  LayerNorm(std::int64_t width, double eps, at::ScalarType compute,
            const at::TensorOptions& options);
  /// [..., width] fp32 -> [..., width]
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight;  ///< [width]
  at::Tensor bias;    ///< [width]

 private:
  double eps_;
  at::ScalarType compute_;
};

}  // namespace pretrain
