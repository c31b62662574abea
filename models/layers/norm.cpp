#include "models/layers/norm.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rms_norm.h>

namespace pretrain {

Norm::Norm(NormKind kind, std::int64_t width, double eps, at::ScalarType compute,
           const at::TensorOptions& options)
    : kind_(kind), eps_(eps), compute_(compute) {
  weight = register_parameter("weight", at::empty({width}, options));
  if (kind == NormKind::kLayerNorm) bias = register_parameter("bias", at::empty({width}, options));
}

at::Tensor Norm::forward(const at::Tensor& x) {
  const at::Tensor x32 = x.to(at::kFloat);
  if (kind_ == NormKind::kLayerNorm) {
    return at::layer_norm(x32, {x.size(-1)}, weight, bias, eps_).to(compute_);
  }
  return at::rms_norm(x32, {x.size(-1)}, weight, eps_).to(compute_);
}

}  // namespace pretrain
