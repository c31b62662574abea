#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/model.h"
#include "launch/config/run_config.h"
#include "models/hugging_face/classes.h"

namespace pretrain {

/// A Hugging Face directory as a model of ours, on the host in fp32.
struct ImportedModel {
  std::vector<std::string> directories;  ///< with config.json; two of ELECTRA's pair
  HfImport import;                       ///< what they say in our words
  RunConfig config;                      ///< describes the model and no training
  std::vector<HfPlan> plans;             ///< one for each directory
  std::shared_ptr<Model> model;
  std::string note;  ///< what of the directory has no place in the model; "": all of it has
};

/// Has `name` what a Hugging Face directory has: config.json, or ELECTRA's two of them, and is no
/// checkpoint of ours?
bool is_hugging_face(const std::string& name);

/// Reads DIR/config.json and its weights, or those of DIR/discriminator and DIR/generator. Heads
/// that the directory lacks are initialised from seed 1. Throws kBadData naming file and key or
/// tensor; what a hostile config.json promises is not believed before the shapes agree.
ImportedModel import_model(const std::string& directory);

/// The tokenizer of such a directory.
struct ImportedTokenizer {
  std::string json = "{}\n";  ///< a tokenizer.json; as it stood there if we do not read it
  std::string sha256 = std::string(64, '0');
  std::string refusal;  ///< why we do not read it
};
ImportedTokenizer import_tokenizer(const std::string& directory, const ImportedModel& imported);

}  // namespace pretrain
