#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "core/base/logging.h"
#include "core/checkpoint/checkpointer.h"
#include "launch/commands/command.h"
#include "launch/commands/command_words.h"
#include "launch/hugging_face/imported_model.h"
#include "launch/hugging_face/loaded_model.h"
#include "launch/process/versions.h"

namespace pretrain {
ExitCode run_import(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app(
      "Makes a run directory with one checkpoint, step 0, of a Hugging Face directory\n"
      "(gpt2, openai-gpt, llama, bert, roberta, electra, t5; of electra also a folder\n"
      "that holds discriminator/ and generator/). Train on from it with run.init=OUT;\n"
      "run.init, generate, score and export also take DIR itself.",
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

  const FlatBuffer parameters = checkpoint_parameters(imported.model);
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
  const ImportedTokenizer tokenizer = import_tokenizer(directory, imported);
  if (!tokenizer.refusal.empty()) log_warning(tokenizer.refusal);
  setup.identity.tokenizer_json = tokenizer.json;
  setup.identity.tokenizer_sha256 = tokenizer.sha256;
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
