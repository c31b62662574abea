#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace pretrain {

// Each sets a parameter (any device, fp32) without recording it in autograd. Element i of a random
// one is the draw at address (seed, name, i): the result depends on nothing else, on no device and
// no number of threads.

void fill(at::Tensor parameter, double value);
/// Multiplies by `factor`.
void scale(at::Tensor parameter, double factor);
/// N(0, std^2).
void fill_normal(at::Tensor parameter, double std, std::uint64_t seed, const std::string& name);
/// N(0, std^2) without what lies beyond 2 std, which is drawn again.
void fill_truncated_normal(at::Tensor parameter, double std, std::uint64_t seed,
                           const std::string& name);
/// Uniform in (-bound, bound).
void fill_uniform(at::Tensor parameter, double bound, std::uint64_t seed, const std::string& name);

}  // namespace pretrain
