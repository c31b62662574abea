#include "models/layers/layer_norm.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>

namespace pretrain {

LayerNorm::LayerNorm(std::int64_t width, double eps, at::ScalarType compute,
                     const at::TensorOptions& options)
    : eps_(eps), compute_(compute) {
  weight = register_parameter("weight", at::empty({width}, options));
  bias = register_parameter("bias", at::empty({width}, options));
}

at::Tensor LayerNorm::forward(const at::Tensor& x) {
  return at::layer_norm(x, {x.size(-1)}, weight, bias, eps_).to(compute_);
}

}  // namespace pretrain
