#pragma once

#include <string>
#include <string_view>

namespace pretrain {

/// The text in the member `field` of the JSON object `line`, which must be all of it (RFC 8259).
/// Throws kBadData, message starting with `place`, if it is no valid JSON, no object, has no such
/// member (the message lists those it has), or another type in it.
void json_text(std::string_view line, const std::string& field, const std::string& place,
               std::string& text);

}  // namespace pretrain
