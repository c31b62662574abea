#include <CLI/CLI.hpp>

#include "launch/commands/command.h"
#include "launch/commands/command_words.h"
#include "launch/commands/data/subcommand.h"

namespace pretrain {
namespace {

struct Subcommand {
  const char* name;
  const char* summary;
  RunDataSubcommand (*declare)(CLI::App& app);
};

constexpr Subcommand kSubcommands[] = {
    {"sample-at", "documents and bytes that the samples of a step came from", declare_sample_at},
    {"seen", "what a checkpoint has seen of each source", declare_seen},
};

}  // namespace

ExitCode run_data(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app("Says where the data of a run come from, by arithmetic.", "pretrain data");
  app.require_subcommand(1);
  app.footer("Example: pretrain data sample-at runs/quickstart --step 120 --text");
  std::vector<std::pair<CLI::App*, RunDataSubcommand>> declared;
  for (const Subcommand& subcommand : kSubcommands) {
    CLI::App* own = app.add_subcommand(subcommand.name, subcommand.summary);
    declared.emplace_back(own, subcommand.declare(*own));
  }
  const SplitWords words = split_overrides(arguments);
  if (!parse(app, words.others, process)) return ExitCode::kOk;
  for (const auto& [own, run] : declared) {
    if (own->parsed()) return run(words.overrides);
  }
  return ExitCode::kUsage;
}

}  // namespace pretrain
