#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_reader.h"
#include "core/text/tokenizer.h"
#include "launch/config/run_config.h"
#include "models/hugging_face/classes.h"

namespace pretrain {

/// A model out of a checkpoint, on the host in fp32, without its objective.
struct LoadedModel {
  RunConfig config;
  std::unique_ptr<Tokenizer> tokenizer;  ///< null if the checkpoint's is of a kind we do not read
  std::string tokenizer_json;            ///< its text, "" if there is none
  HfTokens tokens;
  std::shared_ptr<Model> model;
};
LoadedModel load_model(CheckpointReader& reader);

/// What the parity of two models is measured on: random inputs and the first model's answers.
struct ParityProbe {
  at::Tensor inputs;    ///< [n, T] int64
  at::Tensor lengths;   ///< [n] real tokens of each row; the others are 0 and not looked at
  at::Tensor decoder;   ///< [n, T decoder] of encoder-decoders; or undefined
  at::Tensor features;  ///< [real tokens, d] (of the decoder's rows where there is one)
  at::Tensor logits;    ///< [real tokens, V], or [real tokens] of "replaced?"
};
/// `generator`: of ELECTRA's generator instead of its main encoder.
ParityProbe probe_model(Model& model, std::int64_t vocab_size, bool generator = false);

/// Writes the plans' directories below `out` and reads them back. Throws kInternal unless the
/// logits of what was read are within 1e-5 of the model's; then nothing is left. Returns the
/// largest difference.
double write_hugging_face(const LoadedModel& loaded, const std::vector<HfPlan>& plans,
                          const std::string& out, const std::string& probes);

}  // namespace pretrain
