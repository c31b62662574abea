#include "models/layers/dropout.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "core/base/random.h"

namespace pretrain {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 16384;

// scale[i] is 0 or 1 / (1 - p) for the elements [first, last) of one sequence.
void draw(float* scale, std::int64_t first, std::int64_t last, std::uint32_t threshold, float kept,
          const DropoutAddress& address, std::uint64_t key) {
  const std::array<std::uint32_t, 2> philox_key{
      static_cast<std::uint32_t>(address.seed),
      static_cast<std::uint32_t>(address.seed >> 32) ^
          static_cast<std::uint32_t>(RandomPurpose::kDropout)};
  for (std::int64_t block = first / 4; block * 4 < last; ++block) {
    const auto words =
        philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(address.layer),
                    static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)},
                   philox_key);
    for (std::int64_t i = std::max(first, block * 4); i < std::min(last, block * 4 + 4); ++i) {
      scale[i - first] = words[static_cast<std::size_t>(i % 4)] < threshold ? 0.0f : kept;
    }
  }
}

// The factors of all elements, [rows, width] fp32 on the host.
at::Tensor factors(std::int64_t rows, std::int64_t width, double p, const DropoutAddress& address,
                   const std::vector<std::uint64_t>& keys,
                   const std::vector<std::int64_t>& lengths) {
  const at::Tensor scale = at::empty({rows, width});
  float* out = scale.mutable_data_ptr<float>();
  const auto threshold = static_cast<std::uint32_t>(p * 4294967296.0);
  const auto kept = static_cast<float>(1 / (1 - p));
  std::int64_t begin = 0;
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    const std::int64_t count = lengths[s] * width;
    at::parallel_for(0, count, kGrain, [&](std::int64_t first, std::int64_t last) {
      draw(out + begin + first, first, last, threshold, kept, address, keys[s]);
    });
    begin += count;
  }
  return scale;
}

struct DropoutFunction : torch::autograd::Function<DropoutFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double p,
                            std::int64_t seed, std::int64_t layer,
                            const std::vector<std::uint64_t>& keys,
                            const std::vector<std::int64_t>& lengths) {
    std::vector<std::int64_t> signed_keys(keys.begin(), keys.end());
    context->saved_data["p"] = p;
    context->saved_data["address"] = std::vector<std::int64_t>{seed, layer};
    context->saved_data["keys"] = signed_keys;
    context->saved_data["lengths"] = lengths;
    return scaled(x, p, {seed, layer}, signed_keys, lengths);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto address = context->saved_data["address"].toIntVector();
    return {scaled(gradients[0], context->saved_data["p"].toDouble(), address,
                   context->saved_data["keys"].toIntVector(),
                   context->saved_data["lengths"].toIntVector()),
            {},
            {},
            {},
            {},
            {}};
  }

  static at::Tensor scaled(const at::Tensor& x, double p, const std::vector<std::int64_t>& address,
                           const std::vector<std::int64_t>& signed_keys,
                           const std::vector<std::int64_t>& lengths) {
    const std::vector<std::uint64_t> keys(signed_keys.begin(), signed_keys.end());
    const at::Tensor scale =
        factors(x.size(0), x.numel() / x.size(0), p,
                {static_cast<std::uint64_t>(address[0]), static_cast<std::uint64_t>(address[1])},
                keys, lengths);
    return x * scale.view(x.sizes()).to(x.device(), x.scalar_type());
  }
};

}  // namespace

at::Tensor dropout(const at::Tensor& x, double p, const DropoutAddress& address,
                   const std::vector<std::uint64_t>& keys,
                   const std::vector<std::int64_t>& lengths) {
  if (p == 0 || keys.empty() || x.numel() == 0) return x;
  return DropoutFunction::apply(x, p, static_cast<std::int64_t>(address.seed),
                                static_cast<std::int64_t>(address.layer), keys, lengths);
}

}  // namespace pretrain
