#include "models/layers/recompute.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>

namespace pretrain {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Block = std::function<at::Tensor(const at::Tensor&)>;

// Carries the block to the backward pass in an IValue.
struct BlockHolder : torch::CustomClassHolder {
  explicit BlockHolder(Block held) : block(std::move(held)) {}
  Block block;
};

struct RecomputeFunction : torch::autograd::Function<RecomputeFunction> {
  // `anchor` requires a gradient, so that the function is recorded even where x does not.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& /*anchor*/, const Block& block) {
    context->save_for_backward({x});
    context->saved_data["block"] =
        c10::IValue::make_capsule(c10::make_intrusive<BlockHolder>(block));
    const c10::AutoGradMode no_grad(false);
    return block(x);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor x = context->get_saved_variables()[0].detach().requires_grad_(true);
    const auto capsule = context->saved_data["block"].toCapsule();
    const auto* holder = static_cast<const BlockHolder*>(capsule.get());
    const c10::AutoGradMode with_grad(true);
    const at::Tensor y = holder->block(x);
    torch::autograd::backward({y}, {gradients[0]});
    return {x.grad(), {}, {}};
  }
};

}  // namespace

at::Tensor recomputed(const Block& block, const at::Tensor& x) {
  const at::Tensor anchor = at::empty({0}, x.options()).requires_grad_(true);
  return RecomputeFunction::apply(x, anchor, block);
}

}  // namespace pretrain
