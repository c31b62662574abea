#include "models/layers/linear.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "models/layers/gemm.h"

namespace pretrain {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    const at::Tensor rows = x.reshape({-1, x.size(-1)});
    const at::Tensor w = weight.to(x.scalar_type());
    const at::Tensor b = bias ? bias->to(x.scalar_type()) : at::Tensor();
    context->save_for_backward({rows, w});
    context->saved_data["bias"] = bias.has_value();
    auto shape = x.sizes().vec();
    shape.back() = weight.size(0);
    return linear_output(rows, w, b).view(shape);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& rows = saved[0];
    const at::Tensor& w = saved[1];
    const at::Tensor dy = gradients[0].reshape({-1, w.size(0)}).contiguous();
    auto shape = gradients[0].sizes().vec();
    shape.back() = w.size(1);
    const at::Tensor dx = linear_input_gradient(dy, w).view(shape);
    const at::Tensor dw = linear_weight_gradient(dy, rows).to(at::kFloat);
    at::Tensor db;
    if (context->saved_data["bias"].toBool()) db = dy.sum(0, false, at::kFloat);
    return {dx, dw, db};
  }
};

// An argument of a Function must be a tensor that exists, or no tensor.
std::optional<at::Tensor> optional(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

}  // namespace

Linear::Linear(std::int64_t in, std::int64_t out, const at::TensorOptions& options,
               bool with_bias) {
  weight = register_parameter("weight", at::empty({out, in}, options));
  if (with_bias) bias = register_parameter("bias", at::empty({out}, options));
}

at::Tensor Linear::forward(const at::Tensor& x) {
  return LinearFunction::apply(x, weight, optional(bias));
}

}  // namespace pretrain
