#pragma once

#include <string>

namespace pretrain {

/// What an option that does not exist is called here: for `key` ("train.steps", "n_layer"), as
/// people know it from other programs, the option that does it ("train.duration: {steps: N}").
/// Empty: not known.
std::string usual_name(const std::string& key);

}  // namespace pretrain
