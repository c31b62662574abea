#include "parallel/flat_reducer.h"

namespace pretrain {

void FlatReducer::attach(const at::Tensor& gradients) {
  if (gradients.scalar_type() != at::kFloat || gradients.dim() != 1 || !gradients.is_contiguous()) {
    fail(ExitCode::kInternal, "gradients: expected fp32 [n] contiguous, got ", gradients.toString(),
         " ", gradients.sizes());
  }
  if (gradients.is_cuda() != group_.device_memory()) {
    fail(ExitCode::kInternal, "gradients: expected them in ",
         group_.device_memory() ? "GPU" : "host", " memory, got ", gradients.device().str());
  }
  gradients_ = gradients;
}

void FlatReducer::finalize() {
  if (!gradients_.defined() || !sync_) {
    fail(ExitCode::kInternal, "gradients: finalize needs attach and set_sync(true) before");
  }
  group_.all_reduce(gradients_.mutable_data_ptr(), static_cast<std::size_t>(gradients_.numel()),
                    DataType::kF32, ReduceOp::kSum);
}

}  // namespace pretrain
