#pragma once

#include <memory>
#include <string>

#include "core/model.h"
#include "core/optim/flat_buffer.h"
#include "core/text/tokenizer.h"
#include "launch/config/run_config.h"
#include "models/hugging_face/classes.h"

namespace pretrain {

/// A model to look at, on the host in fp32, without its objective.
struct LoadedModel {
  RunConfig config;
  std::unique_ptr<Tokenizer> tokenizer;  ///< null if it is of a kind we do not read
  std::string tokenizer_refusal;         ///< why, then
  std::string tokenizer_json;            ///< its text, "" if there is none
  HfTokens tokens;
  std::shared_ptr<Model> model;
};

/// The model of what CKPT names: a checkpoint (see checkpoint_path) or a Hugging Face directory,
/// which is what importing it first would give. Throws kBadData.
LoadedModel load_model(const std::string& name);

/// The model's parameters in one buffer, under the names that they have in checkpoints.
FlatBuffer checkpoint_parameters(const std::shared_ptr<Model>& model);

}  // namespace pretrain
