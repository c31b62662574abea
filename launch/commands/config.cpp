#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "launch/commands/command.h"
#include "launch/commands/command_words.h"
#include "launch/config/open_config.h"

namespace pretrain {

ExitCode run_config(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app("Prints FILE as it would be run: every option with its value.", "pretrain config");
  std::string file;
  bool hash = false;
  bool options = false;
  bool markdown = false;
  app.add_option("FILE", file, "configuration (YAML); --options: prefix of names");
  app.add_flag("--hash", hash, "print the SHA-256 of all and of the identity part");
  app.add_flag("--options", options, "print the table of all options");
  app.add_flag("--markdown", markdown, "with --options: as the page configs/options.md");
  app.footer("Example: pretrain config configs/quickstart.yaml train.micro_batch=4");
  const SplitWords words = split_overrides(arguments);
  if (!parse(app, words.others, process)) return ExitCode::kOk;
  if (options) {
    std::cout << (markdown ? options_markdown(all_option_rows())
                           : options_text(all_option_rows(), file));
    return ExitCode::kOk;
  }
  if (file.empty())
    fail(ExitCode::kUsage, "pretrain config: FILE is required. See pretrain config --help");
  const RunConfig config = open_config(file, words.overrides);
  if (hash) {
    std::cout << config_sha256(config) << "  config\n" << identity_sha256(config) << "  identity\n";
  } else {
    std::cout << "# Relative paths start at " << std::filesystem::current_path().string() << "\n"
              << config.text();
  }
  return ExitCode::kOk;
}

ExitCode run_schema(const std::vector<std::string>& arguments, Process& process) {
  CLI::App app("Prints the JSON Schema (draft-07) of configuration files.", "pretrain schema");
  app.footer("Example: pretrain schema > pretrain.schema.json");
  if (!parse(app, arguments, process)) return ExitCode::kOk;
  std::cout << options_schema(all_option_rows());
  return ExitCode::kOk;
}

}  // namespace pretrain
