#pragma once

#include <map>
#include <string>

#include "core/config/config_node.h"
#include "core/config/error_list.h"

namespace pretrain {

/// Replaces in every scalar of `root`: `${a.b}` by the scalar at a.b, `${env:NAME}` and
/// `${env:NAME,default}` by an environment variable, `$${` by a literal `${`. A value that is only
/// one interpolation is read as if its result stood there without quotes. Missing names, cycles,
/// nesting and results above 1 MiB in all are errors. Adds the variables read, with their values,
/// to `environment`.
void interpolate(ConfigNode& root, std::map<std::string, std::string>& environment,
                 ErrorList& errors);

}  // namespace pretrain
