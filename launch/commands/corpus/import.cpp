#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/data/corpus/corpus_builder.h"
#include "core/data/corpus/foreign/corpus_import.h"
#include "launch/commands/corpus/subcommand.h"
#include "launch/process/versions.h"
#include "launch/progress_line.h"

namespace pretrain {
namespace {

struct ImportCommand {
  ImportOptions options;
  std::vector<std::string> files;  // inputs, then the output
  std::int64_t eos_id = -2;        // -2: not given
};

ExitCode run(ImportCommand& command) {
  ImportOptions& options = command.options;
  options.inputs.assign(command.files.begin(), command.files.end() - 1);
  options.output = command.files.back();
  options.created_by = "pretrain " + program_version();
  if (command.eos_id != -2) options.eos_id = command.eos_id;
  ProgressLine progress;
  std::string summary;
  if (options.format == "text" || options.format == "jsonl") {
    if (options.tokenizer.empty()) {
      fail(ExitCode::kUsage, "corpus import ", options.format, ": text needs --tokenizer T");
    }
    BuildOptions build;
    build.output = options.output;
    build.tokenizer = options.tokenizer;
    build.inputs = options.inputs;
    build.format.format = options.format;
    build.force = options.force;
    build.created_by = options.created_by;
    summary = build_corpus(build, progress.function()).to_text();
  } else {
    summary = import_corpus(options, progress.function()).to_text();
  }
  progress.clear();
  std::cout << summary << "\n";
  return ExitCode::kOk;
}

}  // namespace

RunSubcommand declare_corpus_import(CLI::App& app) {
  const auto command = std::make_shared<ImportCommand>();
  ImportOptions& options = command->options;
  app.add_option("FORMAT", options.format, "megatron, nanogpt, llmc, text or jsonl")->required();
  app.add_option("FILES", command->files, "IN... OUT: what to read, then the corpus, NAME.h5")
      ->required()
      ->expected(2, -1);
  app.add_option("--tokenizer", options.tokenizer,
                 "byte or a tokenizer file; bytes are counted by decoding");
  app.add_option("--vocab-size", options.vocab_size, "number of ids, if there is no tokenizer");
  app.add_option("--dtype", options.dtype, "nanogpt: u16 or u32")->capture_default_str();
  app.add_option(
      "--eos-id", command->eos_id,
      "id that ends a document (llmc: begins one), -1: none\n(default: the tokenizer's)");
  app.add_option("--split", options.split, "split of the documents")->capture_default_str();
  app.add_flag("--force", options.force, "replace an existing corpus");
  app.footer(
      "megatron: PREFIX of .bin and .idx. nanogpt, llmc: files, 'globs', or a folder\n"
      "of train*.bin and val*.bin. text, jsonl: as corpus build, with its defaults.\n"
      "A document without tokens is dropped and counted.\n\n"
      "Example: pretrain corpus import megatron web web.h5 --tokenizer tokenizer.json");
  return [command] { return run(*command); };
}

}  // namespace pretrain
