#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "core/base/logging.h"
#include "core/data/corpus/corpus_builder.h"
#include "core/text/special_vocabulary.h"
#include "launch/commands/corpus/subcommand.h"
#include "launch/process/versions.h"
#include "launch/progress_line.h"

namespace pretrain {
namespace {

struct BuildCommand {
  BuildOptions options;
  bool eos = false;
  bool no_eos = false;
  double valid_fraction = -1;
};

ExitCode run(BuildCommand& command) {
  if (command.eos && command.no_eos) {
    fail(ExitCode::kUsage, "pretrain corpus build: --eos and --no-eos exclude each other");
  }
  if (command.eos || command.no_eos) command.options.eos = command.eos;
  if (command.valid_fraction >= 0) command.options.valid_fraction = command.valid_fraction;
  command.options.created_by = "pretrain " + program_version();
  ProgressLine progress;
  const BuildResult result = build_corpus(command.options, progress.function());
  progress.clear();
  std::cout << result.to_text() << "\n";
  const bool has_valid = std::any_of(result.splits.begin(), result.splits.end(),
                                     [](const auto& split) { return split.name == "valid"; });
  if (!has_valid && command.options.valid_fraction > 0) {
    log_warning(
        "no document is held out as split valid, so runs on this corpus evaluate nothing. "
        "Documents "
        "end at blank lines or as --doc-sep says; or name files with --valid");
  }
  return ExitCode::kOk;
}

}  // namespace

RunSubcommand declare_corpus_build(CLI::App& app) {
  const auto command = std::make_shared<BuildCommand>();
  BuildOptions& options = command->options;
  app.add_option("OUT", options.output, "corpus to make, NAME.h5")->required();
  app.add_option("INPUT", options.inputs, "text or JSONL files; - is the standard input")
      ->required();
  app.add_option("--tokenizer", options.tokenizer, "byte, char, or a tokenizer.json")->required();
  app.add_option_function<std::string>(
         "--special",
         [command](const std::string& list) {
           command->options.specials = parse_special_tokens(list);
         },
         "further special tokens of byte or char, see below")
      ->type_name("LIST");
  app.add_option("--format", options.format.format, "auto, text or jsonl")->capture_default_str();
  app.add_option("--doc-sep", options.format.doc_sep,
                 "end of a document: blank, line, file or a text")
      ->capture_default_str();
  app.add_option("--field", options.format.field, "JSONL field of the text")->capture_default_str();
  app.add_flag("--eos", command->eos, "close documents by the end token (default)");
  app.add_flag("--no-eos", command->no_eos, "do not close documents");
  app.add_option("--valid-fraction", command->valid_fraction,
                 "share held out as split valid (default 0.01)")
      ->check(CLI::Range(0.0, 0.999));
  app.add_option("--valid", options.validation_inputs,
                 "files that make up the split valid instead");
  app.add_flag("--force", options.force, "replace an existing corpus");
  app.footer(
      "Special tokens: texts between commas, as in '[PAD],<s>'. <extra_id_0..99> is\n"
      "100 of them. bert: [PAD],[CLS],[SEP],[MASK]; t5: <pad>,</s>,<extra_id_0..99>;\n"
      "fim: <|fim_prefix|>,<|fim_middle|>,<|fim_suffix|>.\n\n"
      "Example: pretrain corpus build data/kjv.h5 --tokenizer byte data/kjv.txt");
  return [command] { return run(*command); };
}

}  // namespace pretrain
