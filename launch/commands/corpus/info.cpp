#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/data/corpus/corpus_verify.h"
#include "launch/commands/corpus/subcommand.h"

namespace pretrain {

RunSubcommand declare_corpus_info(CLI::App& app) {
  const auto path = std::make_shared<std::string>();
  app.add_option("FILE", *path, "corpus, NAME.h5")->required();
  app.footer("Example: pretrain corpus info data/kjv.h5");
  return [path] {
    std::cout << corpus_info(*path).to_text() << "\n";
    return ExitCode::kOk;
  };
}

}  // namespace pretrain
