#include <iostream>
#include <string>
#include <vector>

#include "core/base/escape_control.h"
#include "launch/commands/command.h"
#include "launch/process/process.h"

namespace {

std::string message(pretrain::ExitCode code, const std::string& text) {
  return pretrain::concat("pretrain: error ", static_cast<int>(code), ": ", text);
}

}  // namespace

int main(int argc, char** argv) {
  using pretrain::ExitCode;
  using pretrain::Process;
  pretrain::retain_memory();
  int rank = 0;
  int world = 1;
  try {
    Process process(argc, argv);
    rank = process.rank();
    world = process.world();
    const ExitCode code =
        pretrain::run_command_line(std::vector<std::string>(argv + 1, argv + argc), process);
    Process::end(static_cast<int>(code));
  } catch (const pretrain::AgreedError& error) {
    if (rank == 0) std::cerr << message(error.code(), error.what()) << std::endl;
    Process::end(static_cast<int>(error.code()));
  } catch (const std::exception& caught) {
    const pretrain::Error error = pretrain::as_error(caught);
    const std::string who = world == 1 ? "" : pretrain::concat("rank ", rank, ": ");
    Process::abort(static_cast<int>(error.code()), message(error.code(), who + error.what()));
  }
}
