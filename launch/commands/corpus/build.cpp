#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "core/base/byte_size.h"
#include "core/base/logging.h"
#include "core/data/corpus/corpus_builder.h"
#include "core/text/special_vocabulary.h"
#include "launch/commands/command_words.h"
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
  std::string invalid = "error";
  std::string quality;
};

constexpr const char* kFooter =
    "Of folders, text, JSONL and CSV are read (by name, in its order), .gz and .zst\n"
    "unpacked. The same command goes on with a stopped build (its work: OUT.build).\n"
    "Special tokens: texts between commas, as in '[PAD],<s>'. <extra_id_0..99> is\n"
    "100 of them. bert: [PAD],[CLS],[SEP],[MASK]; t5: <pad>,</s>,<extra_id_0..99>;\n"
    "fim: <|fim_prefix|>,<|fim_middle|>,<|fim_suffix|>.\n"
    "Rules: gopher (length, symbols), english (common words), repetition, c4\n"
    "(brackets, filler). What is dropped is told, also in NAME.report.json.\n"
    "Example: pretrain corpus build web.h5 'crawl/*.jsonl.zst' --tokenizer bpe.json";

ExitCode run(BuildCommand& command) {
  if (command.eos && command.no_eos) {
    fail(ExitCode::kUsage, "pretrain corpus build: --eos and --no-eos exclude each other");
  }
  if (command.eos || command.no_eos) command.options.eos = command.eos;
  if (command.valid_fraction >= 0) command.options.valid_fraction = command.valid_fraction;
  command.options.format.invalid = invalid_text_from(command.invalid);
  set_quality_rules(command.quality, command.options.quality);
  const auto& inputs = command.options.inputs;
  if (std::find(inputs.begin(), inputs.end(), "-") != inputs.end()) {
    log_info("the standard input can be read once only: a build that is stopped begins anew");
  }
  command.options.created_by = "pretrain " + program_version();
  ProgressLine progress;
  const BuildResult result = build_corpus(command.options, progress.function());
  progress.clear();
  if (result.taken_over > 0) {
    std::cout << plural(result.taken_over, "document") << " done already by an earlier build\n";
  }
  std::cout << result.report.to_text() << result.to_text() << "\n";
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
  app.add_option("INPUT", options.inputs, "files, folders, patterns; - is the standard input")
      ->required();
  app.add_option("--tokenizer", options.tokenizer, "byte, char, or a tokenizer (file or folder)")
      ->required();
  app.add_option_function<std::string>(
         "--special",
         [command](const std::string& list) {
           command->options.specials = parse_special_tokens(list);
         },
         "further special tokens of byte or char, see below")
      ->type_name("LIST");
  app.add_option("--format", options.format.format, "auto, text, jsonl, csv or tsv")
      ->capture_default_str();
  app.add_option("--doc-sep", options.format.doc_sep,
                 "end of a document: blank, line, file or a text")
      ->capture_default_str();
  app.add_option("--field", options.format.field, "field of JSONL; name or number of a CSV column")
      ->capture_default_str();
  app.add_option("--invalid", command->invalid, "text that is not UTF-8: error, replace or skip")
      ->capture_default_str();
  app.add_flag("--eos", command->eos, "close documents by the end token (default)");
  app.add_flag("--no-eos", command->no_eos, "do not close documents");
  within(app.add_option("--valid-fraction", command->valid_fraction,
                        "share held out as split valid (default 0.01)"),
         0.0, 0.999)
      ->type_name("SHARE");
  app.add_option("--valid", options.validation_inputs,
                 "files that make up the split valid instead");
  app.add_flag("--dedup", options.duplicates.exact, "drop documents that occurred before");
  within(app.add_option("--near-duplicates", options.duplicates.near,
                        "drop those as similar as this (Jaccard, as 0.8)"),
         0.01, 1.0)
      ->type_name("J");
  take_bytes(app.add_option("--dedup-memory", options.duplicates.max_bytes,
                            "bound for both (default 4G)"));
  app.add_option("--quality", command->quality, "drop by rules: gopher,english,repetition,c4");
  app.add_option("--min-chars", options.quality.min_chars, "drop shorter documents");
  app.add_option("--max-chars", options.quality.max_chars, "drop longer documents");
  take_bytes(app.add_option("--max-document", options.format.max_document_bytes,
                            "refuse input with a longer one (default 4G)"),
             1, kMaxDocumentBytes);
  app.add_option("--shard-tokens", options.shard_tokens,
                 "tokens of a file NAME-00000-of-00008.h5, as 1G");
  app.add_option("--jobs", options.jobs, "threads that encode (default: one a processor)");
  take_bytes(app.add_option("--part-bytes", options.part_bytes,
                            "input after which work is kept (default 64M)"));
  app.add_flag("--restart", options.restart, "do not go on where a stopped build was");
  app.add_flag("--force", options.force, "replace an existing corpus");
  app.footer(kFooter);
  return [command] { return run(*command); };
}

}  // namespace pretrain
