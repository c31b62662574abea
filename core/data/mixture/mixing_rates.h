#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pretrain {

/// How much there is of a source, in the rows it is cut into.
struct SourceSize {
  std::uint64_t rows = 0;
  std::uint64_t tokens = 0;  ///< positions in all rows together, without padding
};

/// Rates by size: tokens are sampled at min(tokens, cap)^(1 / temperature), the examples-
/// proportional mixing of T5 (Raffel et al. 2019, 3.5.2) for temperature 1, towards equal shares as
/// it grows.
struct SizeMixing {
  double temperature = 1;     ///< > 0
  std::optional<double> cap;  ///< tokens
};

/// Weights of samples from weights of tokens: a source whose rows hold fewer tokens gets more
/// rows. `token_weights` are >= 0, finite, not all 0; whole weights are rounded to 2^-32 of their
/// sum, and at least 1 where a weight is above 0. Sources without rows must weigh 0.
std::vector<std::uint64_t> deal_weights(const std::vector<SourceSize>& sizes,
                                        const std::vector<double>& token_weights);
/// By size; sources that are not `taken` weigh 0. Without a temperature or a cap that matters the
/// weights are the rows themselves, so that all sources end their epochs together.
std::vector<std::uint64_t> deal_weights(const std::vector<SourceSize>& sizes,
                                        const std::vector<bool>& taken, const SizeMixing& mixing);

}  // namespace pretrain
