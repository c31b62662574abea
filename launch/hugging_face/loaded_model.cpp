#include "launch/hugging_face/loaded_model.h"

#include "core/base/logging.h"
#include "core/config/config_loader.h"
#include "core/run/snapshot.h"
#include "core/text/token_roles.h"
#include "launch/checkpoint_path.h"
#include "launch/hugging_face/imported_model.h"
#include "launch/network.h"

namespace pretrain {
namespace {

// Objectives whose decoders see a prompt both ways.
bool has_prefixes(const RunConfig& config) {
  return config.objective.name == "prefix_lm" || config.objective.name == "span_corruption";
}

void set_tokenizer(LoadedModel& loaded, const std::string& json, const std::string& place) {
  try {
    loaded.tokenizer = tokenizer_from_json(json, place);
  } catch (const Error& error) {  // an imported one that we do not read; it is kept as text
    loaded.tokenizer_refusal = error.what();
  }
  if (json.size() > 4) loaded.tokenizer_json = json;
  if (loaded.tokenizer) {
    const TokenRoles roles = token_roles(*loaded.tokenizer);
    const bool t5 = loaded.config.model.name == "t5";
    loaded.tokens = {loaded.tokenizer->vocab_size(), roles.bos,
                     t5 && roles.sep >= 0 ? roles.sep : roles.eos, roles.pad};
  }
  if (loaded.config.model.vocab_size) loaded.tokens.vocab_size = *loaded.config.model.vocab_size;
}

LoadedModel load_directory(const std::string& directory) {
  ImportedModel imported = import_model(directory);
  if (!imported.note.empty()) log_warning(imported.note);
  LoadedModel loaded;
  loaded.config = std::move(imported.config);
  const ImportedTokenizer tokenizer = import_tokenizer(directory, imported);
  set_tokenizer(loaded, tokenizer.json, directory);
  if (!tokenizer.refusal.empty()) loaded.tokenizer_refusal = tokenizer.refusal;
  loaded.model = std::move(imported.model);
  return loaded;
}

LoadedModel load_checkpoint(const std::string& path) {
  CheckpointReader reader(path);
  LoadedModel loaded;
  loaded.config = read_config(
      parse_config_text(reader.config_yaml(), reader.path() + "/config.resolved.yaml"), "model");
  set_tokenizer(loaded, reader.tokenizer_json(), reader.path());
  loaded.model = build_model(loaded.config, loaded.tokens.vocab_size, loaded.tokens.pad, at::kFloat,
                             c10::Device(c10::kCPU));
  FlatBuffer parameters = checkpoint_parameters(loaded.model);
  load_parameters(reader, parameters);
  return loaded;
}

// Gives parameters the names they have below an objective.
struct Holder : torch::nn::Module {
  explicit Holder(const std::shared_ptr<Model>& model) { register_module("model", model); }
};

}  // namespace

LoadedModel load_model(const std::string& name) {
  LoadedModel loaded =
      is_hugging_face(name) ? load_directory(name) : load_checkpoint(checkpoint_path(name));
  if (loaded.model->kind() == ModelKind::kDecoder && has_prefixes(loaded.config)) {
    loaded.model->prompt_pattern = Pattern::kPrefix;
  }
  loaded.model->eval();
  return loaded;
}

FlatBuffer checkpoint_parameters(const std::shared_ptr<Model>& model) {
  Holder holder(model);
  return FlatBuffer(holder);
}

}  // namespace pretrain
