#pragma once

#include <string>
#include <vector>

#include "launch/config/run_config.h"

namespace pretrain {

/// The configuration that FILE means: a YAML file with overrides, or the directory of a run, which
/// stands for the configuration it last started with (config.resolved.yaml; relative paths in it
/// start at the working directory), the overrides laid upon it. Throws kBadConfig, kBadData for a
/// directory without one.
RunConfig open_config(const std::string& path, const std::vector<std::string>& overrides);

/// The text of the file as it was given; of a run, as its first start was given it.
std::string given_config(const std::string& path);

}  // namespace pretrain
