#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "core/checkpoint/checkpointer.h"
#include "core/run/snapshot.h"
#include "core/text/format/open_tokenizer.h"
#include "launch/commands/command.h"
#include "launch/hugging_face/imported_model.h"
#include "launch/process/versions.h"

namespace pretrain {
namespace {

struct Holder : torch::nn::Module {
  explicit Holder(const std::shared_ptr<Model>& model) { register_module("model", model); }
};

// The tokenizer of the directory, of whatever kind; one that we do not read is kept as text.
void add_tokenizer(const ImportedModel& source, const std::string& directory,
                   RunIdentity& identity) {
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
  const ImportedModel imported = import_model(directory);
  if (!imported.note.empty()) std::cout << imported.note << '\n';

  Holder holder(imported.model);
  FlatBuffer parameters(holder);
  std::vector<TensorPiece> pieces;
  for (const FlatBuffer::Entry& entry : parameters.entries()) {
    pieces.push_back({entry.name, "F32", entry.shape, 0, static_cast<std::uint64_t>(entry.count),
                      reinterpret_cast<const std::byte*>(
                          parameters.values().const_data_ptr<float>() + entry.begin)});
  }
  CheckpointerSetup setup;
  setup.run_dir = out;
  setup.identity.config_yaml = imported.config.text();
  setup.identity.identity_sha256 = identity_sha256(imported.config);
  add_tokenizer(imported, directory, setup.identity);
  setup.identity.code = {program_version(), "", libtorch_version()};
  Checkpointer checkpointer(process.control(), setup);
  TrainingState state;
  const SaveResult saved = checkpointer.save(state, pieces, {}, {}, true);
  std::cout << out << "/checkpoints/" << saved.name << ": " << imported.plans.front().architecture
            << (imported.plans.size() > 1 ? " and " + imported.plans.back().architecture : "")
            << ", " << parameters.parameter_count() << " parameters\n";
  return ExitCode::kOk;
}

}  // namespace pretrain
