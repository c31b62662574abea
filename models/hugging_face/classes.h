#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/config_node.h"
#include "models/hugging_face/tensors.h"

namespace pretrain {

/// Ids that config.json names; -1: none.
struct HfTokens {
  std::int64_t vocab_size = 0;
  std::int64_t bos = -1;
  std::int64_t eos = -1;
  std::int64_t pad = -1;
};

/// What it takes to write `model` (the resolved section of a configuration) as Hugging Face
/// directories; two for electra. Throws kBadConfig naming the option that their class lacks.
/// `headless` leaves out the heads: BertModel instead of BertForMaskedLM.
std::vector<HfPlan> export_plans(const ConfigNode& model, std::int64_t positions,
                                 const HfTokens& tokens, bool headless = false);

/// What config.json says in our words.
struct HfImport {
  std::string model;      ///< section `model` in flow style
  std::string objective;  ///< one that fits
  std::int64_t positions = 0;
  HfTokens tokens;
  bool headless = false;  ///< the class has no heads: ours stay as they were initialised
  /// Of a class whose heads we lack: its body's tensors begin with `stem`, those of its heads with
  /// `dropped`. Empty: all tensors are ours.
  std::string stem = "";
  std::string dropped = "";
};
/// `pools`: a class without heads has a pooler, which no key says. Throws kBadData naming `place`
/// and the key: a class, a key or a value that is not supported.
HfImport read_config_json(const std::string& text, const std::string& place, bool pools = true);
/// ELECTRA's two networks: a discriminator (ElectraForPreTraining) and its generator
/// (ElectraForMaskedLM), with one set of embeddings or two. Throws kBadData naming both values
/// where they are not of one model.
HfImport read_electra_pair(const std::string& main_text, const std::string& main_place,
                           const std::string& generator_text, const std::string& generator_place,
                           bool share_embeddings);

}  // namespace pretrain
