#include "models/layers/gemm.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>

#include <optional>
#include <string_view>

namespace pretrain {
namespace {

using LinearPointwise = at::Tensor(const at::Tensor&, const at::Tensor&,
                                   const std::optional<at::Tensor>&, c10::string_view,
                                   c10::List<std::optional<at::Scalar>>,
                                   std::optional<c10::string_view>);

// The operator is registered by the CPU library under this schema; there is no C++ declaration.
at::Tensor onednn_linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
                             .typed<LinearPointwise>();
  return op.call(x, w, b.defined() ? std::optional<at::Tensor>(b) : std::nullopt, "none",
                 c10::List<std::optional<at::Scalar>>(), "");
}

}  // namespace

at::Tensor linear_output(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
  if (x.is_cpu()) return onednn_linear(x, w, b);
  return at::linear(x, w, b.defined() ? std::optional<at::Tensor>(b) : std::nullopt);
}

at::Tensor linear_input_gradient(const at::Tensor& dy, const at::Tensor& w) {
  if (dy.is_cpu()) return onednn_linear(dy, w.t(), {});
  return at::mm(dy, w);
}

at::Tensor linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x) {
  // bfloat16 at::mm takes oneDNN with both operands as they lie; the pointwise op would first copy
  // its transposed left operand. For fp32 that copy costs less than MKL's slow path.
  if (dy.is_cpu() && dy.scalar_type() == at::kFloat) return onednn_linear(x.t(), dy.t(), {}).t();
  return at::mm(dy.t(), x);
}

}  // namespace pretrain
