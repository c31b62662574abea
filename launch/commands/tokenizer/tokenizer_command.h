#pragma once

#include <memory>
#include <string>

#include "core/base/error.h"
#include "launch/process/process.h"

namespace CLI {
class App;
}

namespace pretrain {

/// One word after `pretrain tokenizer`. The object lives as long as its CLI::App, which writes the
/// options into it.
class TokenizerCommand {
 public:
  virtual ~TokenizerCommand() = default;
  /// Results on stdout. Throws Error.
  virtual ExitCode run(const Process& process) = 0;
};

/// Each declares its options in `app`.
std::unique_ptr<TokenizerCommand> make_train_command(CLI::App& app);
std::unique_ptr<TokenizerCommand> make_encode_command(CLI::App& app);
std::unique_ptr<TokenizerCommand> make_decode_command(CLI::App& app);
std::unique_ptr<TokenizerCommand> make_verify_command(CLI::App& app);

}  // namespace pretrain
