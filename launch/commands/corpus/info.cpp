#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/data/corpus/inspect/corpus_info.h"
#include "launch/commands/corpus/subcommand.h"

namespace pretrain {
namespace {

struct InfoCommand {
  std::string path;
  bool json = false;
};

}  // namespace

RunSubcommand declare_corpus_info(CLI::App& app) {
  const auto command = std::make_shared<InfoCommand>();
  app.add_option("FILE", command->path, "corpus, NAME.h5")->required();
  app.add_flag("--json", command->json, "one JSON document instead of text");
  app.footer("Example: pretrain corpus info data/kjv.h5");
  return [command] {
    const CorpusInfo info = corpus_info(command->path);
    std::cout << (command->json ? info.to_json() : info.to_text()) << "\n";
    return ExitCode::kOk;
  };
}

}  // namespace pretrain
