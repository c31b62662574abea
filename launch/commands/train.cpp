#include <CLI/CLI.hpp>
#include <iostream>

#include "core/config/config_loader.h"
#include "core/metrics/number_format.h"
#include "launch/build_trainer.h"
#include "launch/commands/command.h"
#include "launch/commands/command_words.h"
#include "launch/config/open_config.h"
#include "launch/process/versions.h"

namespace pretrain {
namespace {

// Rank 0 reads and resolves; the others read its resolved text. Rank 0 keeps what it read, which
// knows the lines.
RunConfig share_config(const std::string& path, const std::vector<std::string>& overrides,
                       Process& process) {
  RunConfig config;
  agree(process.control(), [&] {
    if (process.rank() == 0) config = open_config(path, overrides);
  });
  const std::string text = broadcast_text(process.control(), config.text());
  if (process.rank() == 0) return config;
  return read_config(parse_config_text(text, "config.resolved.yaml"), "");
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

ExitCode run_train(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app("Trains what FILE describes; the same command again resumes.", "pretrain train");
  std::string file;
  app.add_option("FILE", file, "configuration (YAML), or the directory of a run to go on")
      ->required();
  app.footer(
      "After FILE come overrides: a.b=c, --a.b=c, ~a.b (back to default).\n"
      "SIGUSR1: finish the step, save, exit 75. So does Ctrl-C without mpirun or under\n"
      "launch/pretrain-run; mpirun itself ends the job a second after it.\n\n"
      "Example: mpirun -np 2 pretrain configs/quickstart.yaml optimizer.lr=5e-4");
  const SplitWords words = split_overrides(arguments);
  bool is_help = false;
  agree(process.control(), [&] { is_help = !parse(app, words.others, process); });
  if (is_help) return ExitCode::kOk;
  std::vector<NamedValue> facts = build_facts(program_version());
  facts.push_back({"command line", file + " " + joined(words.overrides)});
  process.check_launch(facts);
  const RunConfig config = share_config(file, words.overrides, process);
  process.check_launch({{"config sha256", config_sha256(config)}});
  TrainingRun run(config, process, given_config(file));
  return run.run();
}

}  // namespace pretrain
