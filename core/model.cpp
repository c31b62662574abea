#include "core/model.h"

#include <algorithm>

namespace pretrain {

const char* to_string(ModelKind kind) {
  switch (kind) {
    case ModelKind::kDecoder:
      return "a decoder";
    case ModelKind::kEncoder:
      return "an encoder";
    case ModelKind::kEncoderDecoder:
      return "an encoder-decoder";
    case ModelKind::kReplacedTokens:
      return "an encoder with a generator";
  }
  return "";
}

double Model::decoder_flops_per_token(std::int64_t /*length*/, std::int64_t /*source*/) const {
  return 0;
}

at::Tensor Model::sequence_logits(const at::Tensor& /*first*/) {
  fail(ExitCode::kInternal, "this model has no head for pairs of sentences");
}

void check_lengths(const Sequences& sequences, std::int64_t first, std::int64_t max_positions) {
  for (const std::int64_t length : sequences.lengths) {
    if (first + length <= max_positions) continue;
    fail(ExitCode::kBadData, "model: ", first + length, " positions, but it was built for ",
         max_positions, ". Shorten the text or train with a larger model.max_positions");
  }
}

}  // namespace pretrain
