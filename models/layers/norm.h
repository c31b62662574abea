#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

namespace pretrain {

enum class NormKind {
  kLayerNorm,  ///< (x - mean) / sqrt(variance + eps) * weight + bias (Ba et al. 2016)
  kRmsNorm,    ///< x / sqrt(mean of squares + eps) * weight (Zhang and Sennrich 2019)
};

/// Normalisation over the last dimension, computed in fp32 and returned in the type `compute`.
class Norm : public torch::nn::Module {
 public:
  /// `options` say where the parameters live; they are not initialised.
  Norm(NormKind kind, std::int64_t width, double eps, at::ScalarType compute,
       const at::TensorOptions& options);
  /// [..., width] any floating type -> [..., width]
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight;  ///< [width]
  at::Tensor bias;    ///< [width]; undefined for kRmsNorm

 private:
  NormKind kind_;
  double eps_;
  at::ScalarType compute_;
};

}  // namespace pretrain
