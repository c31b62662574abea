#include <CLI/CLI.hpp>

#include "launch/commands/command.h"
#include "launch/commands/command_words.h"
#include "launch/commands/corpus/subcommand.h"

namespace pretrain {
namespace {

struct Subcommand {
  const char* name;
  const char* summary;  // one line of `pretrain corpus --help`
  RunSubcommand (*declare)(CLI::App& app);
};

constexpr Subcommand kSubcommands[] = {
    {"build", "text, JSONL or CSV to corpus", declare_corpus_build},
    {"import", "token files of Megatron-LM, nanoGPT, llm.c to corpus", declare_corpus_import},
    {"export", "corpus to their files, or to text", declare_corpus_export},
    {"merge", "join corpora of one tokenizer", declare_corpus_merge},
    {"split", "choose the splits again, by content", declare_corpus_split},
    {"info", "attributes, splits, statistics", declare_corpus_info},
    {"verify", "manifest, digests, layout", declare_corpus_verify},
};

}  // namespace

ExitCode run_corpus(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app("Makes and inspects corpora: tokens in HDF5, with manifest and tokenizer beside.",
               "pretrain corpus");
  RunSubcommand chosen;
  for (const Subcommand& subcommand : kSubcommands) {
    CLI::App* words = app.add_subcommand(subcommand.name, subcommand.summary);
    words->final_callback([&chosen, run = subcommand.declare(*words)] { chosen = run; });
  }
  app.require_subcommand(1);
  app.footer("Example: pretrain corpus verify data/kjv.h5 --deep");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  return chosen();
}

}  // namespace pretrain
