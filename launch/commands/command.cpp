#include "launch/commands/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "core/config/option_values.h"

namespace pretrain {
namespace {

constexpr std::size_t kHelpColumns = 80;
constexpr std::size_t kDescriptionColumn = 30;

// Lines of at most 80 columns; what is cut off an option's description goes below it.
std::string wrapped(const std::string& help) {
  std::string text;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    const std::string indent(line.starts_with("  ") ? kDescriptionColumn : 0, ' ');
    while (line.size() > kHelpColumns) {
      const std::size_t blank = line.rfind(' ', kHelpColumns);
      if (blank == std::string::npos || blank <= indent.size()) break;
      text += line.substr(0, blank) + "\n";
      line = indent + line.substr(blank + 1);
    }
    text += line + "\n";
  }
  return text;
}

std::string help_text() {
  std::string text =
      "pretrain: pre-trains language models on one machine or an MPI cluster\n\n"
      "  pretrain [train] FILE [a.b=c ...]        one rank\n"
      "  mpirun -np N pretrain FILE [a.b=c ...]   N ranks; the same again resumes\n"
      "  pretrain COMMAND --help\n\nCommands:\n";
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

bool is_override(const std::string& word) {
  if (word.empty()) return false;
  if (word[0] == '~' || word[0] == '+') return true;
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) return false;
  if (!word.starts_with("--")) return word[0] != '-';
  return word.substr(0, equals).find('.') != std::string::npos;
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
  for (const Command& command : commands()) names.push_back(command.name);
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

bool parse(CLI::App& app, const std::vector<std::string>& words, const Process& process) {
  app.get_formatter()->column_width(kDescriptionColumn);
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    app.parse(reversed);
    return true;
  } catch (const CLI::CallForHelp&) {
    if (process.rank() == 0) std::cout << wrapped(app.help());
    return false;
  } catch (const CLI::CallForAllHelp&) {
    if (process.rank() == 0) std::cout << wrapped(app.help("", CLI::AppFormatMode::All));
    return false;
  } catch (const CLI::ParseError& error) {
    std::string name = app.get_name();
    for (const CLI::App* given : app.get_subcommands()) name += " " + given->get_name();
    fail(ExitCode::kUsage, name, ": ", error.what(), ". See ", name, " --help");
  }
}

SplitWords split_overrides(const std::vector<std::string>& words) {
  SplitWords split;
  for (const std::string& word : words) {
    (is_override(word) ? split.overrides : split.others).push_back(word);
  }
  return split;
}

}  // namespace pretrain
