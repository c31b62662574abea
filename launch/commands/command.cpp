#include "launch/commands/command.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "core/config/option_values.h"

namespace pretrain {
namespace {

std::string help_text() {
  std::string text =
      "pretrain: pre-trains language models on one machine or an MPI cluster\n\n"
      "  pretrain [train] FILE [a.b=c ...]        one rank\n"
      "  mpirun -np N pretrain FILE [a.b=c ...]   N ranks; the same again resumes\n"
      "  pretrain help [COMMAND]\n\nCommands:\n";
  for (const Command& command : commands()) {
    std::string name = command.name;
    name.resize(12, ' ');
    text += "  " + name + command.summary + "\n";
  }
  return text +
         "\nExit codes: 0 done, 2 command line, 65 bad data, 69 launcher, 70 internal,\n"
         "71 memory, 73 cannot create, 74 I/O, 75 stopped with a checkpoint (start again),\n"
         "76 numerics, 77 run directory in use, 78 bad configuration, 79 ranks disagree.\n\n"
         "Example: mpirun -np 2 pretrain configs/quickstart.yaml optimizer.lr=5e-4\n";
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {"train", "train or resume what a config describes", true, run_train},
      {"check", "say what a config would do, and whether it can start", false, run_check},
      {"config", "print the resolved config, or the table of options", false, run_config},
      {"corpus", "build, show or verify a corpus of tokens", false, run_corpus},
      {"data", "say which documents a step or a checkpoint has seen", false, run_data},
      {"tokenizer", "train a tokenizer; encode, decode, verify", false, run_tokenizer},
      {"generate", "continue a text with a trained model", false, run_generate},
      {"score", "likelihood of texts under a trained model", false, run_score},
      {"export", "write a model as Hugging Face directories", false, run_export},
      {"import", "make a run of a Hugging Face directory", false, run_import},
      {"checkpoint", "list or verify the checkpoints of a run", false, run_checkpoint},
      {"schema", "print the JSON Schema of configs", false, run_schema},
      {"version", "print the versions of program and libraries", false, run_version},
  };
  return all;
}

// A first word that looks like no file is taken for a command.
void refuse_misspelt(const std::string& word) {
  if (word.find_first_of("./-=") != std::string::npos || std::filesystem::exists(word)) return;
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name);
  names.emplace_back("help");
  const std::string nearest = nearest_word(word, names);
  fail(
      ExitCode::kUsage, word, ": is neither a command nor a file. ",
      nearest.empty() ? std::string("See pretrain --help") : concat("Did you mean ", nearest, "?"));
}

ExitCode run_command_line(const std::vector<std::string>& words, Process& process) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h") {
    if (process.rank() == 0) std::cout << help_text();
    return words.empty() ? ExitCode::kUsage : ExitCode::kOk;
  }
  if (words[0] == "help") {
    std::vector<std::string> asked(words.begin() + 1, words.end());
    asked.emplace_back("--help");
    return run_command_line(asked, process);
  }
  if (words[0] == "--version") return run_version({}, process);
  const auto found = std::find_if(commands().begin(), commands().end(),
                                  [&](const Command& command) { return words[0] == command.name; });
  if (found == commands().end()) {
    agree(process.control(), [&] { refuse_misspelt(words[0]); });
    return run_train(words, process);
  }
  if (process.world() > 1 && !found->many_ranks) {
    agree(process.control(), [&] {
      fail(ExitCode::kUsage, words[0], ": runs in one process, got ", process.world(),
           " ranks. Start it without mpirun");
    });
  }
  return found->run({words.begin() + 1, words.end()}, process);
}

}  // namespace pretrain
