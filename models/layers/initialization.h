#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace pretrain {

/// Sets every element of a parameter, without recording it in autograd.
void fill(at::Tensor parameter, double value);
/// Draws a parameter from N(0, std^2). Element i is the draw at address (seed, name, i): the result
/// depends on nothing else, on no device and no number of threads. Any device, fp32.
void fill_normal(at::Tensor parameter, double std, std::uint64_t seed, const std::string& name);

}  // namespace pretrain
