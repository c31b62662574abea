#include "objectives/losses/softmax_cross_entropy.h"

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "core/base/each_simd.h"
#include "core/batch.h"

namespace pretrain {
namespace {

// exp(x) for x <= 0 to 2 ulp: 2^n * e^r with |r| <= ln 2 / 2 and the Taylor polynomial of degree 7.
// Written without branches so that the loops below vectorise.
inline float exp_nonpositive(float x) {
  x = std::max(x, -87.0f);
  const float n = std::nearbyint(x * 1.44269504f);
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

inline float load(const float* p) { return *p; }
inline float load(const std::uint16_t* p) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(*p) << 16);
}
inline void store(float* p, float value) { *p = value; }
inline void store(std::uint16_t* p, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);  // finite: round to nearest even
  *p = static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

// Replaces a row by the gradient (1 + 2 z Z) p - e / V, 1 - e less at the target, and returns
// Z = logsumexp. Each number is rounded once: near p = 1 little is left of it. `scratch` holds
// `count` floats.
template <class T>
inline __attribute__((always_inline)) double gradient_row(T* row, std::int64_t count,
                                                          std::int64_t target,
                                                          const CrossEntropyExtras& extras,
                                                          float* scratch) {
  float largest = load(row);
#pragma omp simd reduction(max : largest)
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, load(row + i));
  double total = 0;
  constexpr std::int64_t kBlock = 1024;  // float sums stay short
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t end = std::min(count, begin + kBlock);
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = begin; i < end; ++i) {
      const float e = exp_nonpositive(load(row + i) - largest);
      scratch[i] = e;
      sum += e;
    }
    total += static_cast<double>(sum);
  }
  const double normalizer = static_cast<double>(largest) + std::log(total);
  const auto factor = static_cast<float>((1 + 2 * extras.z_loss * normalizer) / total);
  const auto shift = static_cast<float>(extras.label_smoothing / static_cast<double>(count));
  const float at_target =
      scratch[target] * factor - shift - static_cast<float>(1 - extras.label_smoothing);
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) store(row + i, scratch[i] * factor - shift);
  store(row + target, at_target);
  return normalizer;
}

PRETRAIN_EACH_SIMD double gradient_row_f32(float* row, std::int64_t count, std::int64_t target,
                                           const CrossEntropyExtras& extras, float* scratch) {
  return gradient_row(row, count, target, extras, scratch);
}
PRETRAIN_EACH_SIMD double gradient_row_bf16(std::uint16_t* row, std::int64_t count,
                                            std::int64_t target, const CrossEntropyExtras& extras,
                                            float* scratch) {
  return gradient_row(row, count, target, extras, scratch);
}

double gradient_any(float* row, std::int64_t count, std::int64_t target,
                    const CrossEntropyExtras& extras, float* scratch) {
  return gradient_row_f32(row, count, target, extras, scratch);
}
double gradient_any(std::uint16_t* row, std::int64_t count, std::int64_t target,
                    const CrossEntropyExtras& extras, float* scratch) {
  return gradient_row_bf16(row, count, target, extras, scratch);
}

template <class T>
double sum_of(const T* row, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(load(row + i));
  return sum;
}

template <class T>
double host_rows(T* logits, const std::int64_t* targets, std::int64_t rows, std::int64_t width,
                 std::int64_t vocab_size, const CrossEntropyExtras& extras) {
  const double smoothing = extras.label_smoothing;
  std::vector<double> losses(static_cast<std::size_t>(rows));  // summed in row order: no dependence
  at::parallel_for(0, rows, 1, [&](std::int64_t first, std::int64_t last) {  // on threads
    std::vector<float> scratch(static_cast<std::size_t>(vocab_size));
    for (std::int64_t r = first; r < last; ++r) {
      T* row = logits + r * width;
      if (targets[r] == kNoTarget) {
        std::fill(row, row + width, T{});
        continue;
      }
      const double target_logit = static_cast<double>(load(row + targets[r]));
      const double mean =
          smoothing == 0 ? 0 : sum_of(row, vocab_size) / static_cast<double>(vocab_size);
      const double normalizer = gradient_any(row, vocab_size, targets[r], extras, scratch.data());
      losses[static_cast<std::size_t>(r)] = normalizer - (1 - smoothing) * target_logit -
                                            smoothing * mean +
                                            extras.z_loss * normalizer * normalizer;
      std::fill(row + vocab_size, row + width, T{});
    }
  });
  double sum = 0;
  for (double loss : losses) sum += loss;
  return sum;
}

at::Tensor device_rows(at::Tensor& logits, const at::Tensor& targets, std::int64_t vocab_size,
                       const CrossEntropyExtras& extras) {
  const double smoothing = extras.label_smoothing;
  const at::Tensor valid = targets != kNoTarget;
  const at::Tensor index = at::where(valid, targets, 0).unsqueeze(1);
  const at::Tensor scores = logits.narrow(1, 0, vocab_size).to(at::kFloat);
  const at::Tensor normalizer = at::logsumexp(scores, {1}, true);
  at::Tensor losses = normalizer - (1 - smoothing) * scores.gather(1, index);
  at::Tensor gradient = (scores - normalizer).exp_();
  if (smoothing != 0 || extras.z_loss != 0) {
    losses = losses - smoothing * scores.mean(1, true) + extras.z_loss * normalizer.square();
    gradient.mul_(1 + 2 * extras.z_loss * normalizer);
    gradient.sub_(smoothing / static_cast<double>(vocab_size));
  }
  gradient.scatter_add_(1, index, at::full_like(index, smoothing - 1, gradient.options()));
  gradient.mul_(valid.unsqueeze(1));
  logits.zero_();
  logits.narrow(1, 0, vocab_size).copy_(gradient);
  return at::where(valid, losses.squeeze(1), 0).sum(at::kDouble);
}

}  // namespace

at::Tensor softmax_cross_entropy_(at::Tensor& logits, const at::Tensor& targets,
                                  std::int64_t vocab_size, const CrossEntropyExtras& extras) {
  if (!logits.is_cpu()) return device_rows(logits, targets, vocab_size, extras);
  const std::int64_t rows = logits.size(0), width = logits.size(1);
  const std::int64_t* ids = targets.const_data_ptr<std::int64_t>();
  double sum = 0;
  if (logits.scalar_type() == at::kFloat) {
    sum = host_rows(logits.mutable_data_ptr<float>(), ids, rows, width, vocab_size, extras);
  } else {
    auto* bits = static_cast<std::uint16_t*>(logits.mutable_data_ptr());
    sum = host_rows(bits, ids, rows, width, vocab_size, extras);
  }
  return at::full({}, sum, at::TensorOptions().dtype(at::kDouble));
}

}  // namespace pretrain
