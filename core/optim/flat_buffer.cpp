#include "core/optim/flat_buffer.h"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include "core/base/error.h"

namespace pretrain {
namespace {

constexpr std::int64_t kTensorAlignment = 16;
constexpr std::int64_t kBufferAlignment = 1024;

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

FlatBuffer::FlatBuffer(torch::nn::Module& module) {
  const c10::AutoGradMode no_grad(false);
  const auto parameters = module.named_parameters();
  if (parameters.is_empty()) fail(ExitCode::kInternal, "flat buffer: module has no parameters");
  std::int64_t end = 0;
  std::vector<at::Tensor> ordered;
  enum class Kind { kDecayed, kPlain, kFrozen };
  for (const Kind kind : {Kind::kDecayed, Kind::kPlain, Kind::kFrozen}) {
    for (const auto& item : parameters) {
      const at::Tensor& tensor = item.value();
      const Kind own = !tensor.requires_grad() ? Kind::kFrozen
                       : tensor.dim() >= 2     ? Kind::kDecayed
                                               : Kind::kPlain;
      if (own != kind) continue;
      if (tensor.scalar_type() != at::kFloat) {
        fail(ExitCode::kInternal, "flat buffer: ", item.key(), " is not fp32");
      }
      entries_.push_back({item.key(), tensor.sizes().vec(), end, tensor.numel()});
      ordered.push_back(tensor);
      end = round_up(end + tensor.numel(), kTensorAlignment);
    }
    if (kind == Kind::kDecayed) decayed_ = end;
    if (kind == Kind::kPlain) trained_ = end;
  }
  const auto options = ordered.front().options().requires_grad(false);
  values_ = at::zeros({round_up(end, kBufferAlignment)}, options);
  gradients_ = at::zeros_like(values_);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    at::Tensor view = values_.narrow(0, entry.begin, entry.count).view(entry.shape);
    view.copy_(ordered[i]);
    ordered[i].set_data(view);
    ordered[i].mutable_grad() = gradients_.narrow(0, entry.begin, entry.count).view(entry.shape);
  }
}

std::int64_t FlatBuffer::parameter_count() const {
  std::int64_t count = 0;
  for (const Entry& entry : entries_) count += entry.count;
  return count;
}

void FlatBuffer::zero_gradients() { gradients_.zero_(); }

}  // namespace pretrain
