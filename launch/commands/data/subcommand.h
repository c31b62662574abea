#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace CLI {
class App;
}

namespace pretrain {

/// What a sub-command of `data` does once its words are parsed; `overrides` are the a.b=c among
/// them.
using RunDataSubcommand = std::function<ExitCode(const std::vector<std::string>& overrides)>;

/// Each declares the options of one sub-command in its app.
RunDataSubcommand declare_sample_at(CLI::App& app);
RunDataSubcommand declare_seen(CLI::App& app);

}  // namespace pretrain
