#pragma once

#include <cstdint>
#include <vector>

#include "objectives/decoding/decoder_state.h"

namespace pretrain {

/// A text found by beam search: the tokens after the first ones, without the one that ends it.
struct Hypothesis {
  std::vector<std::int64_t> tokens;
  double log_probability = 0;  ///< of all its tokens and its end, nats
  bool ended = false;
  /// log_probability / (tokens and end)^penalty: what hypotheses are ranked by.
  double score(double penalty) const;
};

struct BeamOptions {
  std::int64_t beams = 4;
  std::int64_t tokens = 100;  ///< longest text
  double length_penalty = 1;
  std::int64_t stop_id = -1;
};

/// The `beams` best texts after `first`, best first: at each step the best continuations of all
/// open hypotheses go on, those that end are set aside; over when so many have ended and the best
/// open one ranks behind them now. (With a penalty above 0 a longer text could still overtake them;
/// as in most implementations it is not waited for.) Reads `first` into a copy of `start`.
std::vector<Hypothesis> beam_search(const DecoderState& start,
                                    const std::vector<std::int64_t>& first,
                                    const BeamOptions& options);

}  // namespace pretrain
