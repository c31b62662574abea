#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "launch/process/process.h"

namespace pretrain {

/// One sub-command of the program.
struct Command {
  const char* name;
  const char* summary;  ///< one line of `pretrain --help`
  bool many_ranks;      ///< may run under mpirun with more than one rank
  /// `arguments` are the words after the command's name. Throws Error; kUsage for wrong words.
  ExitCode (*run)(const std::vector<std::string>& arguments, Process& process);
};

/// All commands, in the order of the help page.
const std::vector<Command>& commands();

/// Runs what the command line says: a command, or FILE [a.b=c ...], which trains. Help is printed
/// by rank 0.
ExitCode run_command_line(const std::vector<std::string>& words, Process& process);

ExitCode run_train(const std::vector<std::string>& arguments, Process& process);
ExitCode run_check(const std::vector<std::string>& arguments, Process& process);
ExitCode run_config(const std::vector<std::string>& arguments, Process& process);
ExitCode run_corpus(const std::vector<std::string>& arguments, Process& process);
ExitCode run_tokenizer(const std::vector<std::string>& arguments, Process& process);
ExitCode run_data(const std::vector<std::string>& arguments, Process& process);
ExitCode run_generate(const std::vector<std::string>& arguments, Process& process);
ExitCode run_score(const std::vector<std::string>& arguments, Process& process);
ExitCode run_export(const std::vector<std::string>& arguments, Process& process);
ExitCode run_import(const std::vector<std::string>& arguments, Process& process);
ExitCode run_checkpoint(const std::vector<std::string>& arguments, Process& process);
ExitCode run_schema(const std::vector<std::string>& arguments, Process& process);
ExitCode run_version(const std::vector<std::string>& arguments, Process& process);

}  // namespace pretrain
