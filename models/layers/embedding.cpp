#include "models/layers/embedding.h"

#include <ATen/ops/embedding.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "models/layers/gradient_accumulation.h"

namespace pretrain {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct EmbeddingFunction : torch::autograd::Function<EmbeddingFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& weight,
                            const at::Tensor& tokens) {
    context->save_for_backward({weight, tokens});
    return at::embedding(weight, tokens);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& weight = saved[0];
    const at::Tensor ids = saved[1].flatten();
    const at::Tensor rows = gradients[0].reshape({-1, weight.size(1)});
    if (accumulates_in_place(weight)) {
      weight.mutable_grad().index_add_(0, ids, rows);
      return {{}, {}};
    }
    return {at::zeros_like(weight).index_add_(0, ids, rows), {}};
  }
};

}  // namespace

at::Tensor embed_tokens(const at::Tensor& weight, const at::Tensor& tokens) {
  return EmbeddingFunction::apply(weight, tokens);
}

}  // namespace pretrain
