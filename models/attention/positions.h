#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace pretrain {

/// Position of each token in its sequence, from `first` on: [N] int64 on `device`.
at::Tensor position_ids(const std::vector<std::int64_t>& lengths, std::int64_t first,
                        c10::Device device);

/// Fixed positions of Vaswani et al. 2017, [positions, width] fp32: sin(p / 10000^(2i/width)) in
/// column 2i, cos in 2i + 1.
at::Tensor sinusoidal_table(std::int64_t positions, std::int64_t width,
                            const at::TensorOptions& options);

/// Rotary positions (Su et al. 2021), half-split as in Llama: the pair (x[i], x[i + D/2]) is turned
/// by the angle p * theta^(-2i/D).
struct RotaryTable {
  at::Tensor cosine;  ///< [positions, D/2] fp32
  at::Tensor sine;
};
RotaryTable rotary_table(std::int64_t positions, std::int64_t head_width, double theta,
                         const at::TensorOptions& options);
/// x [N, H, D], positions [N] -> the same, turned in fp32.
at::Tensor rotate(const at::Tensor& x, const at::Tensor& positions, const RotaryTable& table);

/// Buckets of T5's relative positions (Raffel et al. 2019): [T query, T key] int64 for queries that
/// start at position `first`. A distance r = key - query: `both_ways` gives the first half of the
/// buckets to r <= 0 and the second to r > 0, else only the past counts; the first half of those
/// buckets are exact, the others logarithmic up to `distance`.
at::Tensor relative_buckets(std::int64_t queries, std::int64_t keys, std::int64_t first,
                            bool both_ways, std::int64_t buckets, std::int64_t distance);

/// Slopes of ALiBi (Press et al. 2021), [H]: 2^(-8 h / H) for powers of two, else interleaved with
/// those of the next power.
std::vector<float> alibi_slopes(std::int64_t heads);

}  // namespace pretrain
