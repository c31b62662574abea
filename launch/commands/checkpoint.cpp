#include <CLI/CLI.hpp>
#include <iostream>

#include "core/checkpoint/checkpoint_list.h"
#include "launch/checkpoint_path.h"
#include "launch/commands/command.h"
#include "launch/commands/command_words.h"

namespace pretrain {

ExitCode run_checkpoint(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app("Lists or verifies the checkpoints of a run.", "pretrain checkpoint");
  std::string run_dir;
  bool sizes = false;
  auto* list = app.add_subcommand("list", "steps, sizes and losses; checks sizes");
  auto* verify = app.add_subcommand("verify", "reads every byte and compares digests");
  for (CLI::App* command : {list, verify}) {
    command->add_option("RUN", run_dir, "run directory")->required();
  }
  verify->add_flag("--sizes", sizes, "compare sizes and headers only");
  list->footer("Example: pretrain checkpoint list runs/quickstart");
  verify->footer("Example: pretrain checkpoint verify runs/quickstart");
  app.require_subcommand(1);
  app.footer(
      "verify ends with 65 if a checkpoint is damaged.\n\n"
      "Example: pretrain checkpoint verify runs/quickstart");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  require_run(run_dir);
  const bool full = verify->parsed() && !sizes;
  const auto entries = list_checkpoints(run_dir, full ? VerifyMode::kFull : VerifyMode::kSizes);
  std::cout << to_text(entries);
  for (const CheckpointEntry& entry : entries) {
    if (verify->parsed() && !entry.valid) {
      fail(ExitCode::kBadData, entry.reason,
           ". A resume passes it over; remove it or copy it again");
    }
  }
  return ExitCode::kOk;
}

}  // namespace pretrain
