#include "launch/run_init.h"

#include <filesystem>

#include "core/checkpoint/checkpoint_reader.h"
#include "core/config/config_loader.h"
#include "core/run/snapshot.h"
#include "core/text/tokenizer.h"
#include "launch/checkpoint_path.h"

namespace pretrain {
namespace {

// Where the positions of the checkpoint's model end, by its own configuration.
std::int64_t positions_of(const RunConfig& config) {
  const ConfigNode* given = config.resolved.find("model")->find("max_positions");
  if (given != nullptr && given->text() != "auto") return std::stoll(given->text());
  return config.data.sequence_length;
}

std::int64_t vocab_size_of(const RunConfig& config, const CheckpointReader& checkpoint) {
  if (config.model.vocab_size) return *config.model.vocab_size;
  return tokenizer_from_json(checkpoint.tokenizer_json(), checkpoint.path() + "/tokenizer.json")
      ->vocab_size();
}

}  // namespace

void check_initial_weights(const RunConfig& config, Objective& objective, std::int64_t vocab_size) {
  if (!config.run.init || std::filesystem::exists(config.run.dir + "/checkpoints")) return;
  const CheckpointReader start(checkpoint_path(*config.run.init));
  const RunConfig then = read_config(
      parse_config_text(start.config_yaml(), start.path() + "/config.resolved.yaml"), "init");
  const auto refuse = [&](const char* what, std::int64_t there, std::int64_t here,
                          const auto&... fix) {
    fail(ExitCode::kBadConfig, config.place("run.init"), "run.init ", *config.run.init,
         ": was made with ", what, " ", there, ", this run has ", here, ". ", fix...);
  };
  if (then.model.name != config.model.name) {
    fail(ExitCode::kBadConfig, config.place("run.init"), "run.init ", *config.run.init,
         ": is a model of model.name ", then.model.name, ", this run has ", config.model.name,
         ". Give the same model");
  }
  const std::int64_t vocabulary = vocab_size_of(then, start);
  if (vocabulary != vocab_size) {
    refuse("a vocabulary of", vocabulary, vocab_size,
           "Build the corpus with its tokenizer; if that has fewer tokens, set model.vocab_size=",
           vocabulary);
  }
  // Only a table of positions ties a model to a context.
  const std::int64_t positions = positions_of(then), here = objective.model().max_positions();
  const auto names = objective.model().named_parameters();
  if (positions != here && names.contains("embeddings.position")) {
    refuse("a context of", positions, here, "Set model.max_positions=", positions,
           " and at most that as data.sequence_length");
  }
}

void load_initial_weights(const RunConfig& config, Objective& objective, FlatBuffer& parameters) {
  CheckpointReader start(checkpoint_path(*config.run.init));
  load_parameters(start, parameters);
  const RunConfig then = read_config(
      parse_config_text(start.config_yaml(), start.path() + "/config.resolved.yaml"), "init");
  if (const ConfigNode* before = then.resolved.find("objective")) objective.start_from(*before);
}

}  // namespace pretrain
