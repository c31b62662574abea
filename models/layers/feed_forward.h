#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/layers/linear.h"

namespace pretrain {

/// Element-wise non-linearities. The gated ones multiply f(x w_gate) with x w_up (Shazeer 2020).
enum class Activation { kGelu, kGeluTanh, kRelu, kRelu2, kSilu, kSwiglu, kGeglu, kReglu };

/// Names as in `model.activation`, in the order of the enumeration: gelu (exact), gelu_tanh, relu,
/// relu2 (squared), silu, swiglu, geglu (tanh form, as in T5 1.1), reglu.
const std::vector<const char*>& activation_names();
/// By its name; kBadConfig if there is none.
Activation activation_by_name(const std::string& name);
bool is_gated(Activation activation);

/// f(x) of an ungated activation.
at::Tensor activate(const at::Tensor& x, Activation activation);

/// Position-wise feed-forward part: down(f(up(x))), gated: down(f(gate(x)) * up(x)).
class FeedForward : public torch::nn::Module {
 public:
  FeedForward(std::int64_t width, std::int64_t inner, Activation activation, bool bias,
              const at::TensorOptions& options);
  /// [N, width] -> [N, width]
  at::Tensor forward(const at::Tensor& x);

  std::shared_ptr<Linear> gate;  ///< null unless gated
  std::shared_ptr<Linear> up;
  std::shared_ptr<Linear> down;

 private:
  Activation activation_;
};

}  // namespace pretrain
