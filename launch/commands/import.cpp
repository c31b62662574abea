#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "core/checkpoint/checkpointer.h"
#include "core/config/config_loader.h"
#include "core/run/snapshot.h"
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

}  // namespace

ExitCode run_import(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app(
      "Makes a run directory with one checkpoint, step 0, of a Hugging Face directory\n"
      "(gpt2, openai-gpt, llama, bert, roberta, electra, t5). Train on from it with\n"
      "run.init=OUT.",
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
  const std::string place = directory + "/config.json";
  const HfImport import = read_config_json(InputFile::open(place).text(kMaxConfigBytes), place);
  RunConfig config = read_config(parse_config_text(config_text(import), place), "imported");
  config.settle("model", "vocab_size", concat(import.tokens.vocab_size));
  config.model.vocab_size = import.tokens.vocab_size;
  const auto model = build_model(config, import.tokens.vocab_size, import.tokens.pad, at::kFloat,
                                 c10::Device(c10::kCPU));
  model->initialize(1);
  const HfPlan plan =
      export_plans(*config.resolved.find("model"), import.positions, import.tokens, import.headless)
          .front();
  import_tensors(*model, plan, read_weights(directory), directory);

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
  const std::string tokenizer = directory + "/tokenizer.json";
  setup.identity.tokenizer_json = "{}\n";
  if (fs::exists(tokenizer)) {
    setup.identity.tokenizer_json = InputFile::open(tokenizer).text(std::size_t{64} << 20);
  }
  setup.identity.tokenizer_sha256 = std::string(64, '0');
  setup.identity.code = {program_version(), "", libtorch_version()};
  Checkpointer checkpointer(process.control(), setup);
  TrainingState state;
  const SaveResult saved = checkpointer.save(state, pieces, {}, {}, true);
  std::cout << out << "/checkpoints/" << saved.name << ": " << plan.architecture << ", "
            << parameters.parameter_count() << " parameters\n";
  return ExitCode::kOk;
}

}  // namespace pretrain
