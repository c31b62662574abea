#pragma once

#include <string_view>

#include "core/config/config_node.h"
#include "core/config/error_list.h"

namespace pretrain {

/// Reads one YAML document of the strict subset: a map at the root, UTF-8 without byte order mark,
/// within the limits of yaml_surface.h, without tabs, anchors, aliases, tags, merge keys,
/// directives, a second document, and duplicate or non-text keys. Every fault is added to `errors`
/// with its place, and reading goes on where that makes sense; if there were any, the result is
/// only a part. Marks are `origin` with line and column. Takes below 0.1 s for any text.
ConfigNode read_yaml(std::string_view text, const Mark& origin, ErrorList& errors);

/// The same for a value of any kind, as `c` in the override `a.b=c`: [..], {..} and quoted text are
/// YAML, anything else is plain text. All marks are `place`.
ConfigNode read_yaml_value(std::string_view text, const Mark& place, ErrorList& errors);

}  // namespace pretrain
