#include "launch/hugging_face/imported_model.h"

#include <ATen/ops/equal.h>

#include <filesystem>
#include <map>

#include "core/base/files/file.h"
#include "core/config/config_loader.h"
#include "core/text/format/open_tokenizer.h"
#include "launch/network.h"

namespace pretrain {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;

// A configuration that describes the model and no training.
std::string config_text(const HfImport& import) {
  return concat("run: {name: imported, dir: imported}\n",
                "data: {sequence_length: ", import.positions,
                ", sources: []}\nmodel: ", import.model, "\nobjective: {name: ", import.objective,
                "}\ntrain: {duration: {steps: 1}, global_batch_sequences: 1}\n");
}

std::string config_place(const std::string& directory) { return directory + "/config.json"; }

std::string config_json(const std::string& directory) {
  return InputFile::open(config_place(directory)).text(kMaxConfigBytes);
}

// Do both networks come with the same tables?
bool have_equal_embeddings(const std::map<std::string, at::Tensor>& a,
                           const std::map<std::string, at::Tensor>& b) {
  for (const auto& [name, tensor] : a) {
    if (!name.starts_with("electra.embeddings.") || !tensor.is_floating_point()) continue;
    const auto other = b.find(name);
    if (other == b.end() || !at::equal(tensor, other->second)) return false;
  }
  return true;
}

// What the directory holds: one network, or ELECTRA's two.
struct Source {
  HfImport import;
  std::vector<std::string> directories;
  std::vector<std::map<std::string, at::Tensor>> weights;
  std::string note = "";
};

Source read_source(const std::string& directory) {
  namespace fs = std::filesystem;
  const std::string main = directory + "/discriminator", generator = directory + "/generator";
  Source source;
  if (!fs::exists(config_place(directory)) && (fs::exists(main) || fs::exists(generator))) {
    source.directories = {main, generator};
    const std::string texts[] = {config_json(main), config_json(generator)};
    for (const std::string& part : source.directories) source.weights.push_back(read_weights(part));
    source.import =
        read_electra_pair(texts[0], config_place(main), texts[1], config_place(generator),
                          have_equal_embeddings(source.weights[0], source.weights[1]));
    return source;
  }
  source.directories = {directory};
  const std::string text = config_json(directory);
  source.weights = {read_weights(directory)};
  const bool pools = source.weights[0].contains("pooler.dense.weight");
  source.import = read_config_json(text, config_place(directory), pools);
  auto& weights = source.weights[0];
  if (source.import.objective == "span_corruption" && !weights.contains("lm_head.weight") &&
      weights.contains("shared.weight")) {
    weights["lm_head.weight"] = weights["shared.weight"];  // one table that is written once
  }
  if (!source.import.stem.empty()) {
    source.weights = {
        body_of(source.weights[0], source.import.stem, source.import.dropped, directory)};
    source.note = concat(
        directory, ": its head (", source.import.dropped,
        "*) has no place in an encoder for masked_lm and is left out; the head for tokens is new. "
        "To go on with replaced_token_detection, give the folder that holds discriminator/ and "
        "generator/");
  }
  return source;
}

// What a directory says of itself is data: options that cannot be are no fault of a configuration.
template <class Work>
auto as_bad_data(const std::string& place, Work&& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.code() != ExitCode::kBadConfig) throw;
    fail(ExitCode::kBadData, place, ": no such model can be built: ", error.what());
  }
}

}  // namespace

bool is_hugging_face(const std::string& name) {
  namespace fs = std::filesystem;
  if (fs::exists(name + "/manifest.json") || fs::exists(name + "/checkpoints")) return false;
  return fs::exists(config_place(name)) || fs::exists(config_place(name + "/discriminator")) ||
         fs::exists(config_place(name + "/generator"));
}

ImportedTokenizer import_tokenizer(const std::string& directory, const ImportedModel& imported) {
  ImportedTokenizer found;
  for (const std::string& folder : {directory, imported.directories.front()}) {
    try {
      const auto tokenizer = open_tokenizer(folder);
      found.json = tokenizer->to_json();
      found.sha256 = tokenizer->sha256();
      return found;
    } catch (const Error& error) {
      if (error.code() != ExitCode::kBadData) throw;
      const std::string path = folder + "/tokenizer.json";
      if (!std::filesystem::exists(path)) continue;
      found.refusal = error.what();
      found.json = InputFile::open(path).text(std::size_t{kMaxTokenizerJson});
      return found;
    }
  }
  return found;
}

ImportedModel import_model(const std::string& directory) {
  const Source source = read_source(directory);
  ImportedModel imported;
  imported.directories = source.directories;
  imported.import = source.import;
  imported.note = source.note;
  const HfImport& import = imported.import;
  const std::string place = config_place(source.directories.front());
  const auto build = [&](c10::Device device) {
    const auto model = build_model(imported.config, import.tokens.vocab_size, import.tokens.pad,
                                   at::kFloat, device);
    if (!device.is_meta()) model->initialize(1);
    for (std::size_t i = 0; i < imported.plans.size(); ++i) {
      const std::vector<std::string> left_out =
          import_tensors(*model, imported.plans[i], source.weights[i], source.directories[i]);
      if (left_out.empty() || device.is_meta()) continue;
      imported.note += concat(imported.note.empty() ? "" : "\n", source.directories[i], ": ",
                              imported.plans[i].architecture, " has no ", left_out.front(),
                              left_out.size() > 1 ? " and the like" : "", "; left out");
    }
    return model;
  };
  as_bad_data(place, [&] {
    imported.config = read_config(parse_config_text(config_text(import), place), "imported");
    imported.config.settle("model", "vocab_size", concat(import.tokens.vocab_size));
    imported.config.model.vocab_size = import.tokens.vocab_size;
    imported.plans = export_plans(*imported.config.resolved.find("model"), import.positions,
                                  import.tokens, import.headless);
    build(c10::Device(c10::kMeta));  // shapes alone: what they promise is not believed
  });
  imported.model = build(c10::Device(c10::kCPU));
  return imported;
}

}  // namespace pretrain
