#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/data/corpus/foreign/corpus_export.h"
#include "launch/commands/corpus/subcommand.h"
#include "launch/progress_line.h"

namespace pretrain {
namespace {

ExitCode run(const ExportOptions& options) {
  ProgressLine progress;
  const ExportResult result = export_corpus(options, progress.function());
  progress.clear();
  std::ostream& summary = options.output == "-" ? std::cerr : std::cout;
  summary << result.to_text() << "\n";
  return ExitCode::kOk;
}

}  // namespace

RunSubcommand declare_corpus_export(CLI::App& app) {
  const auto options = std::make_shared<ExportOptions>();
  app.add_option("FORMAT", options->format, "megatron, nanogpt, llmc, text or jsonl")->required();
  app.add_option("IN", options->input, "corpus, NAME.h5")->required();
  app.add_option("OUT", options->output, "what to write, see below")->required();
  app.add_option("--split", options->split, "only the documents of this split");
  app.add_option("--dtype", options->dtype,
                 "type of the ids: u16, u32, i16, i32, i64\n(default: as the corpus)");
  app.add_option("--shard-tokens", options->shard_tokens, "llmc: tokens of one file");
  app.add_flag("--force", options->force, "replace existing files");
  app.footer(
      "megatron: OUT.bin and OUT.idx with all documents. nanogpt, llmc: folder OUT\n"
      "with train.bin, val.bin, NAME.bin. text: an empty line between documents;\n"
      "jsonl: {\"text\": ...} a line. OUT of these two may be -, the standard output;\n"
      "the summary goes to stderr then.\n\n"
      "Example: pretrain corpus export nanogpt data/kjv.h5 nanoGPT/data/kjv");
  return [options] { return run(*options); };
}

}  // namespace pretrain
