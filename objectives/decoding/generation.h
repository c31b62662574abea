#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/model.h"

namespace pretrain {

/// How a next token is drawn. The defaults sample from the model's own distribution.
struct SamplingOptions {
  double temperature = 1.0;  ///< logits are divided by it; 0: always the most likely token
  std::int64_t top_k = 0;    ///< only the k most likely tokens; 0: all
  double top_p = 1.0;        ///< only the most likely tokens that together reach this probability
  std::uint64_t seed = 1;    ///< with the sample index and position the address of each draw
};

/// Draws one token from logits[vocab] (fp32, host): temperature, then top-k, then top-p (Holtzman
/// et al. 2020), then one uniform number u in [0, 1). Ties go to the smaller id.
std::int64_t sample_token(const std::vector<float>& logits, const SamplingOptions& options,
                          double u);

/// Continues `prompt` by up to `tokens` tokens, one forward a token with a key-value cache. When
/// the model's positions are used up the cache is rebuilt from the later half. Stops after
/// `stop_id`
/// (-1: never). Calls `on_token` for each new token; it returns false to stop. `sample` numbers
/// independent continuations of one prompt. An empty prompt is an error (kUsage).
std::vector<std::int64_t> generate(Model& model, const std::vector<std::int64_t>& prompt,
                                   std::int64_t tokens, const SamplingOptions& options,
                                   std::int64_t stop_id, std::uint64_t sample,
                                   const std::function<bool(std::int64_t)>& on_token);

/// What an encoder-decoder writes after reading `source`, from `start_id` on; else as generate().
std::vector<std::int64_t> decode(Model& model, const std::vector<std::int64_t>& source,
                                 std::int64_t start_id, std::int64_t tokens,
                                 const SamplingOptions& options, std::int64_t stop_id,
                                 std::uint64_t sample,
                                 const std::function<bool(std::int64_t)>& on_token);

}  // namespace pretrain
