#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "launch/checkpoint_path.h"
#include "launch/commands/command.h"
#include "launch/hugging_face.h"

namespace pretrain {

ExitCode run_export(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app(
      "Writes a model as a directory that transformers loads: config.json,\n"
      "model.safetensors, tokenizer files, model card and parity.json. Reads it back\n"
      "and publishes nothing unless the logits agree within 1e-5.",
      "pretrain export");
  std::string checkpoint, out, probes;
  bool headless = false;
  app.add_option("CKPT", checkpoint, "run, RUN:best, RUN:STEP, or a checkpoint")->required();
  app.add_option("OUT", out, "directory to make; electra: generator/ and discriminator/ in it")
      ->required();
  app.add_flag("--headless", headless, "without heads: BertModel, RobertaModel");
  app.add_option("--probes", probes,
                 "also write inputs and logits compared, beside OUT, under this name");
  app.footer("Example: pretrain export runs/quickstart models/quickstart");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  at::set_num_threads(process.threads_per_rank());
  CheckpointReader reader(checkpoint_path(checkpoint));
  const LoadedModel loaded = load_model(reader);
  const auto plans = export_plans(*loaded.config.resolved.find("model"),
                                  loaded.model->max_positions(), loaded.tokens, headless);
  const double difference = write_hugging_face(loaded, plans, out, probes);
  for (const HfPlan& plan : plans) {
    std::cout << out << (plan.folder.empty() ? "" : "/" + plan.folder) << ": " << plan.architecture
              << ", " << plan.pieces.size() << " tensors\n";
  }
  std::cout << "parity      largest difference of 100 inputs read back: " << difference << "\n";
  return ExitCode::kOk;
}

}  // namespace pretrain
