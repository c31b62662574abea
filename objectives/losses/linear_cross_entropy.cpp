#include "objectives/losses/linear_cross_entropy.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "models/layers/gemm.h"
#include "models/layers/gradient_accumulation.h"
#include "objectives/losses/softmax_cross_entropy.h"

namespace pretrain {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::int64_t rows_per_chunk(const at::Tensor& features, std::int64_t vocab_rows) {
  const std::int64_t row_bytes = vocab_rows * static_cast<std::int64_t>(features.element_size());
  const std::int64_t chunks = std::max<std::int64_t>(
      1, (features.size(0) * row_bytes + kLogitsChunkBytes - 1) / kLogitsChunkBytes);
  return (features.size(0) + chunks - 1) / chunks;
}

struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& features,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            const at::Tensor& targets, std::int64_t vocab_size, bool with_gradient,
                            const CrossEntropyExtras& extras) {
    const at::Tensor w = weight.to(features.scalar_type());
    const at::Tensor b = bias ? bias->to(features.scalar_type()) : at::Tensor();
    const std::int64_t rows = features.size(0);
    const std::int64_t step = rows_per_chunk(features, w.size(0));
    at::Tensor sum = at::zeros({}, features.options().dtype(at::kDouble));
    at::Tensor features_gradient, weight_gradient, bias_gradient;
    if (with_gradient) features_gradient = at::empty_like(features);
    for (std::int64_t begin = 0; begin < rows; begin += step) {
      const std::int64_t count = std::min(step, rows - begin);
      const at::Tensor x = features.narrow(0, begin, count);
      at::Tensor logits = linear_output(x, w, b);
      sum += softmax_cross_entropy_(logits, targets.narrow(0, begin, count), vocab_size, extras);
      if (!with_gradient) continue;
      features_gradient.narrow(0, begin, count).copy_(linear_input_gradient(logits, w));
      const at::Tensor part = linear_weight_gradient(logits, x);
      if (weight_gradient.defined()) {
        weight_gradient.add_(part);
      } else {
        weight_gradient = part.to(at::kFloat);
      }
      if (!bias) continue;
      const at::Tensor bias_part = logits.sum(0, false, at::kFloat);
      bias_gradient = bias_gradient.defined() ? bias_gradient.add_(bias_part) : bias_part;
    }
    context->save_for_backward({features_gradient, weight_gradient, weight, bias_gradient});
    return sum.to(at::kFloat);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor features_gradient = saved[0].mul_(gradients[0]);
    const at::Tensor& weight = saved[2];
    const at::Tensor bias_gradient = saved[3].defined() ? saved[3].mul_(gradients[0]) : saved[3];
    if (accumulates_in_place(weight)) {
      weight.mutable_grad().addcmul_(saved[1], gradients[0]);
      return {features_gradient, {}, bias_gradient, {}, {}, {}, {}};
    }
    return {features_gradient, saved[1].mul_(gradients[0]), bias_gradient, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor linear_cross_entropy(const at::Tensor& features, const OutputHead& head,
                                const at::Tensor& targets, const CrossEntropyExtras& extras) {
  const auto bias = head.bias.defined() ? std::optional(head.bias) : std::nullopt;
  return LinearCrossEntropy::apply(features.contiguous(), head.weight, bias, targets.contiguous(),
                                   head.vocab_size, c10::GradMode::is_enabled(), extras);
}

at::Tensor logits_of(const at::Tensor& features, const OutputHead& head) {
  const at::Tensor w = head.weight.narrow(0, 0, head.vocab_size).to(features.scalar_type());
  const at::Tensor b = head.bias.defined()
                           ? head.bias.narrow(0, 0, head.vocab_size).to(features.scalar_type())
                           : head.bias;
  return linear_output(features, w, b).to(at::kFloat);
}

}  // namespace pretrain
