#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/data/corpus/inspect/corpus_info.h"
#include "launch/commands/command_words.h"
#include "launch/commands/corpus/subcommand.h"
#include "launch/progress_line.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kMaxSequenceLength = std::uint64_t{1} << 30;

struct InfoCommand {
  std::string path;
  RowQuestion rows;
  bool json = false;
};

ExitCode run(const InfoCommand& command) {
  const bool asked = command.rows.sequence_length > 0;
  ProgressLine progress;
  const CorpusInfo info = corpus_info(
      command.path, asked ? std::optional(command.rows) : std::nullopt, progress.function());
  progress.clear();
  std::cout << (command.json ? info.to_json() : info.to_text()) << "\n";
  return ExitCode::kOk;
}

}  // namespace

RunSubcommand declare_corpus_info(CLI::App& app) {
  const auto command = std::make_shared<InfoCommand>();
  app.add_option("FILE", command->path, "corpus, NAME.h5")->required();
  CLI::Option* length =
      within(app.add_option("--sequence-length", command->rows.sequence_length,
                            "count rows of so many positions: padding, documents cut"),
             std::int64_t{1}, static_cast<std::int64_t>(kMaxSequenceLength))
          ->type_name("N");
  choose_from(app.add_option("--packing", command->rows.packings,
                             "packed, documents, first_fit, best_fit\n(default: all of them)"),
              packing_names())
      ->delimiter(',')
      ->needs(length)
      ->type_name("LIST");
  app.add_option("--split", command->rows.split, "whose rows to count")
      ->needs(length)
      ->capture_default_str();
  app.add_flag("--json", command->json, "one JSON document instead of text");
  app.footer(
      "Rows are those of causal_lm; check FILE says them for the objective of a run.\n\n"
      "Example: pretrain corpus info data/kjv.h5 --sequence-length 1024");
  return [command] { return run(*command); };
}

}  // namespace pretrain
