#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "core/base/logging.h"
#include "core/data/corpus/corpus_builder.h"
#include "core/data/corpus/corpus_verify.h"
#include "core/metrics/number_format.h"
#include "core/text/special_vocabulary.h"
#include "launch/commands/command.h"
#include "launch/process/versions.h"
#include "launch/progress_line.h"

namespace pretrain {
namespace {

struct CorpusCommand {
  BuildOptions build;
  bool eos = false;
  bool no_eos = false;
  double valid_fraction = -1;
  std::string path;
  bool deep = false;
  bool write_manifest = false;
};

void declare_build(CLI::App& app, CorpusCommand& command) {
  app.add_option("OUT", command.build.output, "corpus to make, NAME.h5")->required();
  app.add_option("INPUT", command.build.inputs, "text or JSONL files; - is the standard input")
      ->required();
  app.add_option("--tokenizer", command.build.tokenizer, "byte, char, or a tokenizer.json")
      ->required();
  app.add_option_function<std::string>(
         "--special",
         [&](const std::string& list) { command.build.specials = parse_special_tokens(list); },
         "further special tokens of byte or char, see below")
      ->type_name("LIST");
  app.add_option("--format", command.build.format.format, "auto, text or jsonl")
      ->capture_default_str();
  app.add_option("--doc-sep", command.build.format.doc_sep,
                 "end of a document: blank, line, file or a text")
      ->capture_default_str();
  app.add_option("--field", command.build.format.field, "JSONL field of the text")
      ->capture_default_str();
  app.add_flag("--eos", command.eos, "close documents by the end token (default)");
  app.add_flag("--no-eos", command.no_eos, "do not close documents");
  app.add_option("--valid-fraction", command.valid_fraction,
                 "share held out as split valid (default 0.01)")
      ->check(CLI::Range(0.0, 0.999));
  app.add_option("--valid", command.build.validation_inputs,
                 "files that make up the split valid instead");
  app.add_flag("--force", command.build.force, "replace an existing corpus");
  app.footer(
      "Special tokens: texts between commas, as in '[PAD],<s>'. <extra_id_0..99> is\n"
      "100 of them. bert: [PAD],[CLS],[SEP],[MASK]; t5: <pad>,</s>,<extra_id_0..99>;\n"
      "fim: <|fim_prefix|>,<|fim_middle|>,<|fim_suffix|>.\n\n"
      "Example: pretrain corpus build data/kjv.h5 --tokenizer byte data/kjv.txt");
}

ExitCode build(CorpusCommand& command) {
  if (command.eos && command.no_eos) {
    fail(ExitCode::kUsage, "pretrain corpus build: --eos and --no-eos exclude each other");
  }
  if (command.eos || command.no_eos) command.build.eos = command.eos;
  if (command.valid_fraction >= 0) command.build.valid_fraction = command.valid_fraction;
  command.build.created_by = "pretrain " + program_version();
  ProgressLine progress;
  const BuildResult result = build_corpus(command.build, progress.function());
  progress.clear();
  std::cout << result.to_text() << "\n";
  const bool has_valid = std::any_of(result.splits.begin(), result.splits.end(),
                                     [](const auto& split) { return split.name == "valid"; });
  if (!has_valid && command.build.valid_fraction > 0) {
    log_warning(
        "no document is held out as split valid, so runs on this corpus evaluate nothing. "
        "Documents "
        "end at blank lines or as --doc-sep says; or name files with --valid");
  }
  return ExitCode::kOk;
}

ExitCode verify(const CorpusCommand& command) {
  ProgressLine progress;
  if (command.write_manifest) {
    const CorpusManifest manifest =
        write_manifest(command.path, command.build.force, progress.function());
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

ExitCode run_corpus(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app("Makes and inspects corpora: tokens in HDF5, with manifest and tokenizer beside.",
               "pretrain corpus");
  CorpusCommand command;
  auto* build_app = app.add_subcommand("build", "text or JSONL to corpus");
  declare_build(*build_app, command);
  auto* info_app = app.add_subcommand("info", "attributes, splits, statistics");
  auto* verify_app = app.add_subcommand("verify", "manifest, digests, layout");
  for (CLI::App* reading : {info_app, verify_app}) {
    reading->add_option("FILE", command.path, "corpus, NAME.h5")->required();
  }
  verify_app->add_flag("--deep", command.deep, "read every byte and every token id");
  verify_app->add_flag("--write-manifest", command.write_manifest,
                       "check another program's corpus, write its manifest");
  verify_app->add_flag("--force", command.build.force, "replace an existing manifest");
  info_app->footer("Example: pretrain corpus info data/kjv.h5");
  verify_app->footer("Example: pretrain corpus verify data/kjv.h5 --deep");
  app.require_subcommand(1);
  app.footer("Example: pretrain corpus verify data/kjv.h5 --deep");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  if (build_app->parsed()) return build(command);
  if (verify_app->parsed()) return verify(command);
  std::cout << corpus_info(command.path).to_text() << "\n";
  return ExitCode::kOk;
}

}  // namespace pretrain
