#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>

#include "core/checkpoint/checkpointer.h"
#include "core/config/config_loader.h"
#include "core/run/snapshot.h"
#include "core/text/format/open_tokenizer.h"
#include "launch/commands/command.h"
#include "launch/network.h"
#include "launch/process/versions.h"
#include "models/hugging_face/classes.h"

namespace pretrain {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;

struct Holder : torch::nn::Module {
  explicit Holder(const std::shared_ptr<Model>& model) { register_module("model", model); }
};

// A configuration that describes the model and no training.
std::string config_text(const HfImport& import) {
  return concat("run: {name: imported, dir: imported}\n",
                "data: {sequence_length: ", import.positions,
                ", sources: []}\nmodel: ", import.model, "\nobjective: {name: ", import.objective,
                "}\ntrain: {duration: {steps: 1}, global_batch_sequences: 1}\n");
}

// What DIR holds: one network, or ELECTRA's two.
struct Source {
  HfImport import;
  std::vector<std::string> directories;
  std::vector<std::map<std::string, at::Tensor>> weights;
};

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
  source.import = read_config_json(config_json(directory), config_place(directory));
  source.weights = {read_weights(directory)};
  if (!source.import.stem.empty()) {
    source.weights = {
        body_of(source.weights[0], source.import.stem, source.import.dropped, directory)};
    std::cout << directory << ": its head (" << source.import.dropped << "*) has no place in an "
              << "encoder for masked_lm and is left out; the head for tokens is new. To go on with "
              << "replaced_token_detection, give the folder that holds discriminator/ and "
              << "generator/\n";
  }
  return source;
}

// The tokenizer of the directory, of whatever kind; one that we do not read is kept as text.
void add_tokenizer(const Source& source, const std::string& directory, RunIdentity& identity) {
  identity.tokenizer_json = "{}\n";
  identity.tokenizer_sha256 = std::string(64, '0');
  for (const std::string& folder : {directory, source.directories.front()}) {
    try {
      const auto tokenizer = open_tokenizer(folder);
      identity.tokenizer_json = tokenizer->to_json();
      identity.tokenizer_sha256 = tokenizer->sha256();
      return;
    } catch (const Error& error) {
      if (error.code() != ExitCode::kBadData) throw;
      const std::string path = folder + "/tokenizer.json";
      if (!std::filesystem::exists(path)) continue;
      std::cerr << "warning: " << error.what() << '\n';
      identity.tokenizer_json = InputFile::open(path).text(std::size_t{kMaxTokenizerJson});
      return;
    }
  }
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

ExitCode run_import(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app(
      "Makes a run directory with one checkpoint, step 0, of a Hugging Face directory\n"
      "(gpt2, openai-gpt, llama, bert, roberta, electra, t5; of electra also a folder\n"
      "that holds discriminator/ and generator/). Train on from it with run.init=OUT.",
      "pretrain import");
  std::string directory, out;
  app.add_option("DIR", directory, "directory with config.json and model.safetensors")->required();
  app.add_option("OUT", out, "run directory to make")->required();
  app.footer("Example: pretrain import downloads/gpt2 runs/gpt2");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  namespace fs = std::filesystem;
  if (fs::exists(out)) {
    fail(ExitCode::kCannotCreate, out, ": exists. Choose another directory or remove it");
  }
  at::set_num_threads(process.threads_per_rank());
  const Source source = read_source(directory);
  const HfImport& import = source.import;
  const std::string place = config_place(source.directories.front());
  std::vector<HfPlan> plans;
  RunConfig config;
  const auto build = [&](c10::Device device) {
    const auto model =
        build_model(config, import.tokens.vocab_size, import.tokens.pad, at::kFloat, device);
    if (!device.is_meta()) model->initialize(1);
    for (std::size_t i = 0; i < plans.size(); ++i) {
      import_tensors(*model, plans[i], source.weights[i], source.directories[i]);
    }
    return model;
  };
  as_bad_data(place, [&] {
    config = read_config(parse_config_text(config_text(import), place), "imported");
    config.settle("model", "vocab_size", concat(import.tokens.vocab_size));
    config.model.vocab_size = import.tokens.vocab_size;
    plans = export_plans(*config.resolved.find("model"), import.positions, import.tokens,
                         import.headless);
    build(c10::Device(c10::kMeta));  // shapes alone: what they promise is not believed
  });
  const auto model = build(c10::Device(c10::kCPU));

  Holder holder(model);
  FlatBuffer parameters(holder);
  std::vector<TensorPiece> pieces;
  for (const FlatBuffer::Entry& entry : parameters.entries()) {
    pieces.push_back({entry.name, "F32", entry.shape, 0, static_cast<std::uint64_t>(entry.count),
                      reinterpret_cast<const std::byte*>(
                          parameters.values().const_data_ptr<float>() + entry.begin)});
  }
  CheckpointerSetup setup;
  setup.run_dir = out;
  setup.identity.config_yaml = config.text();
  setup.identity.identity_sha256 = identity_sha256(config);
  add_tokenizer(source, directory, setup.identity);
  setup.identity.code = {program_version(), "", libtorch_version()};
  Checkpointer checkpointer(process.control(), setup);
  TrainingState state;
  const SaveResult saved = checkpointer.save(state, pieces, {}, {}, true);
  std::cout << out << "/checkpoints/" << saved.name << ": " << plans.front().architecture
            << (plans.size() > 1 ? " and " + plans.back().architecture : "") << ", "
            << parameters.parameter_count() << " parameters\n";
  return ExitCode::kOk;
}

}  // namespace pretrain
