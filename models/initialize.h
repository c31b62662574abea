#pragma once

#include <torch/nn/module.h>

#include <cstdint>

#include "models/transformer_options.h"

namespace pretrain {

/// Draws all weights of a transformer by `model.init`. Norm weights are 1, other vectors 0,
/// matrices:
///   scaled_normal     N(0, s^2), residual outputs N(0, s^2 / (2 layers)) (Radford et al. 2019)
///   normal            N(0, s^2)
///   truncated_normal  N(0, s^2) cut at 2 s (Devlin et al. 2018)
///   xavier            U(-a, a), a = sqrt(6 / (in + out)); tables N(0, s^2) (Glorot, Bengio 2010)
///   t5                queries N(0, 1/(d D)), keys, values and inner N(0, 1/d), outputs
///                     N(0, 1/inputs), tables N(0, 1), relative biases N(0, 1/d) (Raffel et al.
///                     2019)
/// with s = model.init_std and d = model.hidden. Every element is drawn at its own address.
void initialize_transformer(torch::nn::Module& model, const TransformerOptions& options,
                            std::uint64_t seed);

}  // namespace pretrain
