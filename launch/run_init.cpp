#include "launch/run_init.h"

#include <c10/core/GradMode.h>

#include <filesystem>
#include <map>

#include "core/base/logging.h"
#include "core/checkpoint/checkpoint_reader.h"
#include "core/config/config_loader.h"
#include "core/run/snapshot.h"
#include "core/text/tokenizer.h"
#include "launch/checkpoint_path.h"
#include "launch/hugging_face/imported_model.h"
#include "launch/hugging_face/loaded_model.h"

namespace pretrain {
namespace {

using Shape = std::vector<std::int64_t>;

// What run.init names: a checkpoint, or a Hugging Face directory.
class Start {
 public:
  explicit Start(const std::string& name) {
    if (is_hugging_face(name)) {
      imported_ = import_model(name);
      config = imported_.config;
      return;
    }
    checkpoint_ = std::make_unique<CheckpointReader>(checkpoint_path(name));
    config = read_config(parse_config_text(checkpoint_->config_yaml(),
                                           checkpoint_->path() + "/config.resolved.yaml"),
                         "init");
  }

  std::int64_t vocab_size() const {
    if (config.model.vocab_size) return *config.model.vocab_size;
    return tokenizer_from_json(checkpoint_->tokenizer_json(),
                               checkpoint_->path() + "/tokenizer.json")
        ->vocab_size();
  }

  // Of the tensors, by their names in checkpoints.
  std::map<std::string, Shape> shapes() const {
    std::map<std::string, Shape> shapes;
    if (checkpoint_) {
      for (const auto& [name, tensor] : checkpoint_->manifest().tensors) {
        shapes[name] = tensor.shape;
      }
    } else {
      for (const auto& parameter : imported_.model->named_parameters()) {
        shapes["model." + parameter.key()] = parameter.value().sizes().vec();
      }
    }
    return shapes;
  }

  void fill(FlatBuffer& parameters) {
    if (checkpoint_) {
      load_parameters(*checkpoint_, parameters);
      return;
    }
    if (!imported_.note.empty()) log_warning(imported_.note);
    const c10::AutoGradMode no_grad(false);
    const FlatBuffer from = checkpoint_parameters(imported_.model);
    std::map<std::string, at::Tensor> values;
    for (const FlatBuffer::Entry& entry : from.entries()) {
      values[entry.name] = from.values().narrow(0, entry.begin, entry.count);
    }
    for (const FlatBuffer::Entry& entry : parameters.entries()) {
      parameters.values().narrow(0, entry.begin, entry.count).copy_(values.at(entry.name));
    }
  }

  RunConfig config;

 private:
  std::unique_ptr<CheckpointReader> checkpoint_;
  ImportedModel imported_;
};

// Where the positions of a model end, by its own configuration.
std::int64_t positions_of(const RunConfig& config) {
  const ConfigNode* given = config.resolved.find("model")->find("max_positions");
  if (given != nullptr && given->text() != "auto") return std::stoll(given->text());
  return config.data.sequence_length;
}

std::string shape_text(const Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += concat(text.empty() ? "" : " x ", size);
  return text;
}

// What to write to get the model that `then` describes.
std::string sizes_advice(const RunConfig& then, const RunConfig& now) {
  std::string settings;
  for (const OptionChange& change : option_changes(then.resolved, now.resolved)) {
    if (!change.key.starts_with("model.") || change.key == "model.vocab_size") continue;
    settings += concat(" ", change.key, "=", change.before);
  }
  return settings.empty() ? ". Give the same model and objective" : ". Give" + settings;
}

}  // namespace

void check_initial_weights(const RunConfig& config, Objective& objective, std::int64_t vocab_size) {
  if (std::filesystem::exists(config.run.dir + "/checkpoints")) return;
  if (!config.run.init) {
    const std::string why = objective.why_initial_weights();
    if (why.empty()) return;
    fail(ExitCode::kBadConfig, config.place("objective"), why, ". Set run.init");
  }
  const Start start(*config.run.init);
  const auto refuse = [&](const auto&... what) {
    fail(ExitCode::kBadConfig, config.place("run.init"), "run.init ", *config.run.init, ": ",
         what...);
  };
  if (start.config.model.name != config.model.name) {
    refuse("is a model of model.name ", start.config.model.name, ", this run has ",
           config.model.name, ". Give the same model");
  }
  const std::int64_t vocabulary = start.vocab_size();
  if (vocabulary != vocab_size) {
    refuse("was made with a vocabulary of ", vocabulary, ", this run has ", vocab_size,
           ". Build the corpus with its tokenizer; if that has fewer tokens, set model.vocab_size=",
           vocabulary);
  }
  // Only a table of positions ties a model to a context.
  const std::int64_t positions = positions_of(start.config);
  const std::int64_t here = objective.model().max_positions();
  const auto names = objective.model().named_parameters();
  if (positions != here && names.contains("embeddings.position")) {
    refuse("was made with a context of ", positions, ", this run has ", here,
           ". Set model.max_positions=", positions, " and at most that as data.sequence_length");
  }
  const std::map<std::string, Shape> there = start.shapes();
  for (const auto& parameter : objective.named_parameters()) {
    const Shape shape = parameter.value().sizes().vec();
    const auto found = there.find(parameter.key());
    if (found == there.end()) {
      refuse("has no tensor ", parameter.key(), " (", shape_text(shape), ")",
             sizes_advice(start.config, config));
    }
    if (found->second != shape) {
      refuse("tensor ", parameter.key(), " is ", shape_text(found->second), ", this run has ",
             shape_text(shape), sizes_advice(start.config, config));
    }
  }
}

void load_initial_weights(const RunConfig& config, Objective& objective, FlatBuffer& parameters) {
  Start start(*config.run.init);
  start.fill(parameters);
  if (const ConfigNode* before = start.config.resolved.find("objective")) {
    objective.start_from(*before);
  }
}

}  // namespace pretrain
