#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/data/corpus/corpus_verify.h"
#include "launch/commands/corpus/subcommand.h"
#include "launch/progress_line.h"

namespace pretrain {
namespace {

struct VerifyCommand {
  std::string path;
  bool deep = false;
  bool write_manifest = false;
  bool force = false;
};

ExitCode run(const VerifyCommand& command) {
  ProgressLine progress;
  if (command.write_manifest) {
    const CorpusManifest manifest =
        write_manifest(command.path, command.force, progress.function());
    progress.clear();
    std::cout << command.path << ": manifest written, fingerprint " << manifest.fingerprint << "\n";
    return ExitCode::kOk;
  }
  const VerifyReport report = verify_corpus(command.path, command.deep, progress.function());
  progress.clear();
  std::cout << report.to_text() << "\n";
  if (!report.ok()) {
    fail(ExitCode::kBadData, report.problems.front(),
         report.problems.size() > 1 ? concat(" (and ", report.problems.size() - 1, " more)") : "");
  }
  return ExitCode::kOk;
}

}  // namespace

RunSubcommand declare_corpus_verify(CLI::App& app) {
  const auto command = std::make_shared<VerifyCommand>();
  app.add_option("FILE", command->path, "corpus, NAME.h5")->required();
  app.add_flag("--deep", command->deep, "read every byte and every token id");
  app.add_flag("--write-manifest", command->write_manifest,
               "check another program's corpus, write its manifest");
  app.add_flag("--force", command->force, "replace an existing manifest");
  app.footer("Example: pretrain corpus verify data/kjv.h5 --deep");
  return [command] { return run(*command); };
}

}  // namespace pretrain
