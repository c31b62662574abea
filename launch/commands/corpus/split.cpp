#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/data/corpus/corpus_rewrite.h"
#include "launch/commands/command_words.h"
#include "launch/commands/corpus/subcommand.h"
#include "launch/process/versions.h"
#include "launch/progress_line.h"

namespace pretrain {
namespace {

struct SplitCommand {
  SplitOptions options;
  std::string shares;
  double valid_fraction = -1;
};

ExitCode run(SplitCommand& command) {
  SplitOptions& options = command.options;
  if (command.shares.empty() == (command.valid_fraction < 0)) {
    fail(ExitCode::kUsage, "corpus split: expected one of --valid-fraction F and --splits LIST");
  }
  options.shares = command.shares.empty()
                       ? std::vector<SplitShare>{{"valid", command.valid_fraction},
                                                 {"train", 1 - command.valid_fraction}}
                       : parse_split_shares(command.shares);
  options.created_by = "pretrain " + program_version();
  ProgressLine progress;
  const RewriteResult result = split_corpus(options, progress.function());
  progress.clear();
  std::cout << result.to_text() << "\n";
  return ExitCode::kOk;
}

}  // namespace

RunSubcommand declare_corpus_split(CLI::App& app) {
  const auto command = std::make_shared<SplitCommand>();
  app.add_option("IN", command->options.input, "corpus, NAME.h5")->required();
  app.add_option("OUT", command->options.output, "corpus to make; IN itself with --force")
      ->required();
  within(app.add_option("--valid-fraction", command->valid_fraction,
                        "share of the documents for split valid"),
         0.0, 0.999);
  app.add_option("--splits", command->shares, "shares of all splits, NAME=SHARE,...");
  app.add_flag("--force", command->options.force, "replace an existing corpus");
  app.footer(
      "A document's split follows from its tokens alone, so it keeps its side when\n"
      "the corpus grows or is merged, and equal documents are on one side.\n\n"
      "Example: pretrain corpus split web.h5 new.h5 --splits train=0.9,valid=0.1");
  return [command] { return run(*command); };
}

}  // namespace pretrain
