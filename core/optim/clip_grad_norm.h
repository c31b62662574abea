#pragma once

#include <ATen/core/Tensor.h>

namespace pretrain {

/// Square of the Euclidean norm of a flat fp32 buffer. Summed in fp64 over blocks of 65,536
/// elements in order, so the bits do not depend on the number of threads (CPU).
double squared_norm(const at::Tensor& flat);

/// Factor that scales gradients of norm `norm` down to `max_norm` (0: no limit, 1.0), as
/// torch.nn.utils.clip_grad_norm_: min(1, max_norm / (norm + 1e-6)).
double clip_scale(double norm, double max_norm);

}  // namespace pretrain
