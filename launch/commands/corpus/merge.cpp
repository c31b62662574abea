#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/data/corpus/corpus_rewrite.h"
#include "launch/commands/corpus/subcommand.h"
#include "launch/process/versions.h"
#include "launch/progress_line.h"

namespace pretrain {

RunSubcommand declare_corpus_merge(CLI::App& app) {
  const auto options = std::make_shared<CorpusMergeOptions>();
  app.add_option("OUT", options->output, "corpus to make, NAME.h5")->required();
  app.add_option("IN", options->inputs, "corpora of one tokenizer")->required();
  app.add_flag("--force", options->force, "replace an existing corpus");
  app.footer(
      "Documents come in the order of the inputs; splits of one name are joined;\n"
      "/doc_source says which input each document is from.\n\n"
      "Example: pretrain corpus merge data/all.h5 data/books.h5 data/web.h5");
  return [options] {
    options->created_by = "pretrain " + program_version();
    ProgressLine progress;
    const RewriteResult result = merge_corpora(*options, progress.function());
    progress.clear();
    std::cout << result.to_text() << "\n";
    return ExitCode::kOk;
  };
}

}  // namespace pretrain
