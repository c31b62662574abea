#include "models/attention/positions.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

namespace pretrain {

at::Tensor position_ids(const std::vector<std::int64_t>& lengths, std::int64_t first,
                        c10::Device device) {
  std::int64_t total = 0;
  for (const std::int64_t length : lengths) total += length;
  const at::Tensor ids = at::empty({total}, at::TensorOptions().dtype(at::kLong));
  std::int64_t* out = ids.mutable_data_ptr<std::int64_t>();
  for (const std::int64_t length : lengths) {
    for (std::int64_t i = 0; i < length; ++i) *out++ = first + i;
  }
  return ids.to(device);
}

at::Tensor sinusoidal_table(std::int64_t positions, std::int64_t width,
                            const at::TensorOptions& options) {
  const at::Tensor table = at::empty({positions, width});
  float* out = table.mutable_data_ptr<float>();
  for (std::int64_t p = 0; p < positions; ++p) {
    for (std::int64_t i = 0; i < width; ++i) {
      const double exponent = static_cast<double>(i / 2 * 2) / static_cast<double>(width);
      const double angle = static_cast<double>(p) * std::pow(10000.0, -exponent);
      out[p * width + i] = static_cast<float>(i % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  return table.to(options);
}

RotaryTable rotary_table(std::int64_t positions, std::int64_t head_width, double theta,
                         const at::TensorOptions& options) {
  const std::int64_t half = head_width / 2;
  const at::Tensor cosine = at::empty({positions, half});
  const at::Tensor sine = at::empty({positions, half});
  for (std::int64_t i = 0; i < half; ++i) {
    // In fp32 as Llama's reference makes them, so that angles agree to the last bit.
    const float frequency =
        1.0f / std::pow(static_cast<float>(theta),
                        static_cast<float>(2 * i) / static_cast<float>(head_width));
    for (std::int64_t p = 0; p < positions; ++p) {
      const float angle = static_cast<float>(p) * frequency;
      cosine.mutable_data_ptr<float>()[p * half + i] = std::cos(angle);
      sine.mutable_data_ptr<float>()[p * half + i] = std::sin(angle);
    }
  }
  return {cosine.to(options), sine.to(options)};
}

at::Tensor rotate(const at::Tensor& x, const at::Tensor& positions, const RotaryTable& table) {
  const at::Tensor cosine = table.cosine.index_select(0, positions).unsqueeze(1);  // [N, 1, D/2]
  const at::Tensor sine = table.sine.index_select(0, positions).unsqueeze(1);
  const auto halves = x.to(at::kFloat).chunk(2, -1);
  return at::cat({halves[0] * cosine - halves[1] * sine, halves[1] * cosine + halves[0] * sine}, -1)
      .to(x.scalar_type());
}

at::Tensor relative_buckets(std::int64_t queries, std::int64_t keys, std::int64_t first,
                            bool both_ways, std::int64_t buckets, std::int64_t distance) {
  const at::Tensor table = at::empty({queries, keys}, at::TensorOptions().dtype(at::kLong));
  std::int64_t* out = table.mutable_data_ptr<std::int64_t>();
  const std::int64_t side = both_ways ? buckets / 2 : buckets;
  const std::int64_t exact = side / 2;
  const float spread = std::log(static_cast<float>(distance) / static_cast<float>(exact));
  for (std::int64_t q = 0; q < queries; ++q) {
    for (std::int64_t k = 0; k < keys; ++k) {
      const std::int64_t ahead = k - (first + q);
      const std::int64_t far = both_ways ? std::abs(ahead) : std::max<std::int64_t>(0, -ahead);
      std::int64_t bucket = far;
      if (far >= exact) {
        const float share = std::log(static_cast<float>(far) / static_cast<float>(exact)) / spread;
        bucket = std::min(
            side - 1, exact + static_cast<std::int64_t>(share * static_cast<float>(side - exact)));
      }
      *out++ = bucket + (both_ways && ahead > 0 ? side : 0);
    }
  }
  return table;
}

std::vector<float> alibi_slopes(std::int64_t heads) {
  std::int64_t power = 1;
  while (power * 2 <= heads) power *= 2;
  const auto slope = [](std::int64_t h, std::int64_t of) {
    return static_cast<float>(std::exp2(-8.0 * static_cast<double>(h) / static_cast<double>(of)));
  };
  std::vector<float> slopes;
  for (std::int64_t h = 1; h <= power; ++h) slopes.push_back(slope(h, power));
  for (std::int64_t h = 1; slopes.size() < static_cast<std::size_t>(heads); h += 2) {
    slopes.push_back(slope(h, 2 * power));
  }
  return slopes;
}

}  // namespace pretrain
