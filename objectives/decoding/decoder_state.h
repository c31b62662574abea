#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/model.h"

namespace pretrain {

/// A text that a decoder, or the decoder of an encoder-decoder, is writing. Copies share what both
/// have read and go on apart.
class DecoderState {
 public:
  /// `source` is what an encoder-decoder reads; empty for a decoder. Borrows the model. Throws
  /// kUsage if the model cannot write.
  DecoderState(Model& model, const std::vector<std::int64_t>& source);

  /// Reads `tokens` (at least one) after those read before; the first ones of a decoder as
  /// Model::prompt_pattern says; returns the logits [V] of the next one.
  std::vector<float> read(const std::vector<std::int64_t>& tokens);
  /// Tokens read so far.
  std::int64_t length() const { return cache_.length; }

 private:
  Model* model_;
  std::shared_ptr<const Sequences> source_;  // null for a decoder
  KeyValueCache cache_;
};

/// log softmax of logits.
std::vector<double> log_probabilities(const std::vector<float>& logits);

}  // namespace pretrain
