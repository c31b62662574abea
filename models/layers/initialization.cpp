#include "models/layers/initialization.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "core/base/digest.h"
#include "core/base/random.h"

namespace pretrain {
namespace {

// Elements per random stream: small enough to share among threads.
constexpr std::int64_t kBlock = 4096;

std::uint64_t name_key(const std::string& name) {
  return std::stoull(xxh3_128_hex(std::as_bytes(std::span(name))).substr(0, 10), nullptr, 16);
}

template <class Draw>
void fill_by_address(at::Tensor& parameter, std::uint64_t seed, const std::string& name,
                     const Draw& draw) {
  const c10::AutoGradMode no_grad(false);
  at::Tensor host = at::empty({parameter.numel()});
  float* values = host.mutable_data_ptr<float>();
  const std::uint64_t key = name_key(name);  // 40 bits, so block numbers fit below
  const std::int64_t count = host.numel();
  at::parallel_for(0, (count + kBlock - 1) / kBlock, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t block = first; block < last; ++block) {
      RandomStream random(seed, RandomPurpose::kInitialization,
                          (key << 24) + static_cast<std::uint64_t>(block));
      const std::int64_t end = std::min(count, (block + 1) * kBlock);
      for (std::int64_t i = block * kBlock; i < end; ++i) {
        values[i] = static_cast<float>(draw(random));
      }
    }
  });
  parameter.copy_(host.view(parameter.sizes()));
}

}  // namespace

void fill(at::Tensor parameter, double value) {
  const c10::AutoGradMode no_grad(false);
  parameter.fill_(value);
}

void scale(at::Tensor parameter, double factor) {
  const c10::AutoGradMode no_grad(false);
  parameter.mul_(factor);
}

void fill_normal(at::Tensor parameter, double std, std::uint64_t seed, const std::string& name) {
  fill_by_address(parameter, seed, name,
                  [&](RandomStream& random) { return std * random.normal(); });
}

void fill_truncated_normal(at::Tensor parameter, double std, std::uint64_t seed,
                           const std::string& name) {
  fill_by_address(parameter, seed, name, [&](RandomStream& random) {
    double value = random.normal();
    while (std::abs(value) > 2) value = random.normal();
    return std * value;
  });
}

void fill_uniform(at::Tensor parameter, double bound, std::uint64_t seed, const std::string& name) {
  fill_by_address(parameter, seed, name,
                  [&](RandomStream& random) { return bound * (2 * random.uniform() - 1); });
}

}  // namespace pretrain
