#pragma once

#include <cstdint>
#include <vector>

#include "core/model.h"

namespace pretrain {

/// log P(text | context) in nats by a decoder (context then text, one pass; the context as
/// Model::prompt_pattern says) or an encoder-decoder
/// (context read by the encoder, text decoded from `start_id`). For a decoder the first token of a
/// text without context is not scored. Returns one number a scored token.
std::vector<double> log_likelihoods(Model& model, const std::vector<std::int64_t>& context,
                                    const std::vector<std::int64_t>& text,
                                    std::int64_t start_id = -1);

/// Pseudo-log-likelihood of a masked language model (Salazar et al. 2020): for each position in
/// [first, last) of `row`, log P(its token | all others), with that position masked. Not a
/// likelihood of the text.
std::vector<double> pseudo_log_likelihoods(Model& model, const std::vector<std::int64_t>& row,
                                           std::int64_t first, std::int64_t last,
                                           std::int64_t mask_id);

/// P(replaced) of each token of `row` by ELECTRA's main encoder.
std::vector<double> replaced_probabilities(Model& model, const std::vector<std::int64_t>& row);

/// What a masked language model puts in a masked place.
struct Filling {
  std::int64_t token = 0;
  double probability = 0;
};
/// The `count` most likely tokens for each position of `row` that holds `mask_id`, best first.
std::vector<std::vector<Filling>> fill_masks(Model& model, const std::vector<std::int64_t>& row,
                                             std::int64_t mask_id, std::int64_t count);

}  // namespace pretrain
