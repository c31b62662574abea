#pragma once

#include <functional>

#include "core/base/error.h"

namespace CLI {
class App;
}

namespace pretrain {

/// Runs a sub-command of `pretrain corpus` once its words were parsed.
using RunSubcommand = std::function<ExitCode()>;

/// Each declares the words and the help of one sub-command in `app` and returns what runs it; the
/// function owns the values of the words. Throws Error when run; kUsage for words that do not go
/// together.
RunSubcommand declare_corpus_build(CLI::App& app);
RunSubcommand declare_corpus_import(CLI::App& app);
RunSubcommand declare_corpus_export(CLI::App& app);
RunSubcommand declare_corpus_merge(CLI::App& app);
RunSubcommand declare_corpus_split(CLI::App& app);
RunSubcommand declare_corpus_info(CLI::App& app);
RunSubcommand declare_corpus_verify(CLI::App& app);

}  // namespace pretrain
