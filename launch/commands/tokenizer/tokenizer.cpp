#include <CLI/CLI.hpp>
#include <map>

#include "launch/commands/command.h"
#include "launch/commands/command_words.h"
#include "launch/commands/tokenizer/tokenizer_command.h"

namespace pretrain {

ExitCode run_tokenizer(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app("Makes, uses and inspects tokenizers.", "pretrain tokenizer");
  std::map<const CLI::App*, std::unique_ptr<TokenizerCommand>> commands;
  const auto add = [&](const char* name, const char* summary, auto make) {
    CLI::App& sub = *app.add_subcommand(name, summary);
    commands[&sub] = make(sub);
  };
  add("train", "text to tokenizer", make_train_command);
  add("encode", "text to ids", make_encode_command);
  add("decode", "ids to text", make_decode_command);
  add("verify", "what a tokenizer is, and whether it keeps its promises", make_verify_command);
  app.require_subcommand(1);
  app.footer(
      "T is byte, a tokenizer.json, or another file or folder that verify can read.\n"
      "Example: pretrain tokenizer encode data/kjv.tokenizer.json data/kjv.txt");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  return commands.at(app.get_subcommands().front())->run(process);
}

}  // namespace pretrain
