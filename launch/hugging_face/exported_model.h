#pragma once

#include <string>
#include <vector>

#include "launch/hugging_face/loaded_model.h"

namespace pretrain {

/// Rows of token ids.
using ProbeRows = std::vector<std::vector<std::int64_t>>;
/// 100 rows of random ids: one of max_positions (at most 1,024), the others of 1 to 16.
ProbeRows random_rows(std::int64_t vocab_size, std::int64_t max_positions);

/// Rows and a model's answers to them.
struct ParityProbe {
  at::Tensor inputs;    ///< [n, T] int64; behind a row's end 0
  at::Tensor lengths;   ///< [n]
  at::Tensor features;  ///< [tokens, d]; an encoder-decoder decodes each row from itself
  at::Tensor logits;    ///< [tokens, V], or [tokens] of "replaced?"
};
/// `generator`: of ELECTRA's generator instead of its main encoder.
ParityProbe probe_model(Model& model, const ProbeRows& rows, bool generator);

/// How a directory is written.
struct HfWriting {
  std::uint64_t shard_bytes = 5'000'000'000;  ///< more than that is split
  /// Also write inputs, features and logits beside the directory, under this name; "": do not.
  std::string probes = "";
  at::ScalarType probe_type = at::kFloat;  ///< type of the products behind them
  bool force = false;                      ///< replace a Hugging Face directory that is there
};

/// Writes the plans' directories below `out` and reads them back as import_model does, config.json
/// included. Throws kInternal unless the logits (without heads: the features) of what was read are
/// within 1e-5 of the model's; then nothing is left. Throws kCannotCreate if `out` exists, with
/// `force` if it is no Hugging Face directory. Returns the largest difference.
double write_hugging_face(const LoadedModel& loaded, const std::vector<HfPlan>& plans,
                          const std::string& out, const ProbeRows& rows, const HfWriting& writing);

}  // namespace pretrain
