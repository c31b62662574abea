#include "launch/process/versions.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "core/communicator.h"
#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "launch/commands/command.h"
#include "launch/commands/command_words.h"

namespace pretrain {
namespace {

void print_names(const char* kind, const std::vector<std::string>& names) {
  std::cout << kind << ":";
  for (const std::string& name : names) std::cout << " " << name;
  std::cout << "\n";
}

}  // namespace

ExitCode run_version(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app("Prints the versions of program and libraries, and what is built in.",
               "pretrain version");
  app.footer("Example: pretrain version");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  for (const auto& [name, version] : component_versions()) {
    std::cout << name << " " << version << "\n";
  }
  print_names("models", models().names());
  print_names("objectives", objectives().names());
  print_names("optimizers", optimizers().names());
  print_names("communicators", communicators().names());
  return ExitCode::kOk;
}

}  // namespace pretrain
