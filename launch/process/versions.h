#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pretrain {

/// Version of this program, "0.1.0".
std::string program_version();
/// Version of libtorch.
std::string libtorch_version();
/// Program and libraries it runs with, each with its version, in a fixed order.
std::vector<std::pair<std::string, std::string>> component_versions();

}  // namespace pretrain
