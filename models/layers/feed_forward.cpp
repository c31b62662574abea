#include "models/layers/feed_forward.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>

#include "core/base/error.h"

namespace pretrain {

const std::vector<const char*>& activation_names() {
  static const std::vector<const char*> names{"gelu", "gelu_tanh", "relu",  "relu2",
                                              "silu", "swiglu",    "geglu", "reglu"};
  return names;
}

Activation activation_by_name(const std::string& name) {
  const auto& names = activation_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (name == names[i]) return static_cast<Activation>(i);
  }
  fail(ExitCode::kBadConfig, "model.activation: ", name, " is not known");
}

bool is_gated(Activation activation) { return activation >= Activation::kSwiglu; }

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kGeluTanh:
    case Activation::kGeglu:
      return at::gelu(x, "tanh");
    case Activation::kRelu:
    case Activation::kReglu:
      return at::relu(x);
    case Activation::kRelu2:
      return at::relu(x).square();
    case Activation::kSilu:
    case Activation::kSwiglu:
      return at::silu(x);
  }
  fail(ExitCode::kInternal, "an activation without a formula");
}

FeedForward::FeedForward(std::int64_t width, std::int64_t inner, Activation activation, bool bias,
                         const at::TensorOptions& options)
    : activation_(activation) {
  const auto linear = [&](const char* name, std::int64_t in, std::int64_t out) {
    return register_module(name, std::make_shared<Linear>(in, out, options, bias));
  };
  if (is_gated(activation)) gate = linear("gate", width, inner);
  up = linear("up", width, inner);
  down = linear("down", inner, width);
}

at::Tensor FeedForward::forward(const at::Tensor& x) {
  if (!gate) return down->forward(activate(up->forward(x), activation_));
  return down->forward(activate(gate->forward(x), activation_) * up->forward(x));
}

}  // namespace pretrain
