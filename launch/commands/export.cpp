#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "launch/commands/command.h"
#include "launch/commands/command_words.h"
#include "launch/hugging_face/exported_model.h"

namespace pretrain {
namespace {

ProbeRows read_rows(const std::string& path, std::int64_t vocab_size) {
  std::ifstream file(path);
  if (!file) fail(ExitCode::kBadData, path, ": cannot open");
  ProbeRows rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream ids(line);
    auto& row = rows.emplace_back();
    for (std::int64_t id = 0; ids >> id;) {
      if (id < 0 || id >= vocab_size) {
        fail(ExitCode::kBadData, path, ":", rows.size(), ": id ", id, ", expected 0 to ",
             vocab_size - 1);
      }
      row.push_back(id);
    }
    if (!ids.eof()) {
      fail(ExitCode::kBadData, path, ":", rows.size(), ": expected ids with blanks between, found ",
           line);
    }
    if (row.empty()) fail(ExitCode::kBadData, path, ":", rows.size(), ": expected token ids");
  }
  if (rows.empty()) fail(ExitCode::kBadData, path, ": is empty");
  return rows;
}

}  // namespace

ExitCode run_export(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app(
      "Writes a model as a directory that transformers loads: config.json,\n"
      "model.safetensors, tokenizer files, model card and parity.json. Reads it back\n"
      "and publishes nothing unless the logits agree within 1e-5.",
      "pretrain export");
  std::string checkpoint, out, inputs, probe_type = "fp32";
  HfWriting writing;
  bool headless = false;
  app.add_option("CKPT", checkpoint, "run, RUN:best, RUN:STEP, checkpoint, or Hugging Face folder")
      ->required();
  app.add_option("OUT", out, "directory to make; electra: generator/ and discriminator/ in it")
      ->required();
  app.add_flag("--headless", headless, "without heads: BertModel, RobertaModel, ElectraModel");
  take_bytes(app.add_option("--shard-size", writing.shard_bytes,
                            "weights above it are split into files of it (default 5GB)"),
             1);
  app.add_flag("--force", writing.force, "replace a directory that an export made");
  app.add_option("--inputs", inputs, "compare on these: a row of ids a line (default: random)");
  CLI::Option* probes =
      app.add_option("--probes", writing.probes,
                     "also write inputs and logits compared, beside OUT, under this name");
  choose_from(
      app.add_option("--probe-type", probe_type, "fp32 or bf16: products behind these logits"),
      {"fp32", "bf16"})
      ->needs(probes)
      ->capture_default_str();
  app.footer("Example: pretrain export runs/quickstart models/quickstart");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  writing.probe_type = probe_type == "bf16" ? at::kBFloat16 : at::kFloat;
  at::set_num_threads(process.threads_per_rank());
  const LoadedModel loaded = load_model(checkpoint);
  const auto plans = export_plans(*loaded.config.resolved.find("model"),
                                  loaded.model->max_positions(), loaded.tokens, headless);
  const ProbeRows rows = inputs.empty()
                             ? random_rows(loaded.tokens.vocab_size, loaded.model->max_positions())
                             : read_rows(inputs, loaded.tokens.vocab_size);
  const double difference = write_hugging_face(loaded, plans, out, rows, writing);
  for (const HfPlan& plan : plans) {
    std::cout << out << (plan.folder.empty() ? "" : "/" + plan.folder) << ": " << plan.architecture
              << ", " << plan.pieces.size() << " tensors\n";
  }
  if (loaded.model->prompt_pattern == Pattern::kPrefix) {
    std::cout << "note        trained to see its prompt both ways; " << plans.front().architecture
              << " reads it causally, so its numbers differ behind a prompt\n";
  }
  std::cout << "parity      largest difference after reading back, of " << rows.size()
            << " inputs: " << difference << "\n";
  return ExitCode::kOk;
}

}  // namespace pretrain
