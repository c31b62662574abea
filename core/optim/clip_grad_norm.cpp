#include "core/optim/clip_grad_norm.h"

#include <ATen/Parallel.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <algorithm>
#include <vector>

namespace pretrain {
namespace {

constexpr std::int64_t kBlock = 65536;

double block_sum(const float* values, std::int64_t count) {
  // Eight running sums: the compiler keeps them in one vector register.
  double sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::int64_t lane = 0; lane < 8; ++lane) {
      const double value = static_cast<double>(values[i + lane]);
      sums[lane] += value * value;
    }
  }
  double sum = 0;
  for (double lane : sums) sum += lane;
  for (; i < count; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return sum;
}

}  // namespace

double squared_norm(const at::Tensor& flat) {
  if (!flat.is_cpu()) {
    const double norm = at::linalg_vector_norm(flat, 2).item<double>();
    return norm * norm;
  }
  const float* values = flat.const_data_ptr<float>();
  const std::int64_t count = flat.numel();
  const std::int64_t blocks = (count + kBlock - 1) / kBlock;
  std::vector<double> sums(static_cast<std::size_t>(blocks));
  at::parallel_for(0, blocks, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t b = first; b < last; ++b) {
      sums[static_cast<std::size_t>(b)] =
          block_sum(values + b * kBlock, std::min(kBlock, count - b * kBlock));
    }
  });
  double sum = 0;
  for (double block : sums) sum += block;
  return sum;
}

double clip_scale(double norm, double max_norm) {
  if (max_norm <= 0) return 1.0;
  return std::min(1.0, max_norm / (norm + 1e-6));
}

}  // namespace pretrain
