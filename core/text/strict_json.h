#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pretrain {

/// Deepest nesting of arrays and objects that any JSON input may have.
inline constexpr std::size_t kMaxJsonDepth = 64;

/// Checks that `text` is one JSON value (RFC 8259) that a general parser reads without surprise: at
/// most `max_bytes` long, valid UTF-8, nested at most kMaxJsonDepth deep, no key twice in an
/// object. Throws kBadData with a message that starts with `place`.
void check_json(std::string_view text, std::uint64_t max_bytes, const std::string& place);

/// The string at key `field` of the JSON object `text`, under the rules of check_json. Throws
/// kBadData, message starting with `place`, if it is no object or the field is missing or no
/// string.
std::string read_json_string(std::string_view text, std::uint64_t max_bytes,
                             const std::string& field, const std::string& place);

}  // namespace pretrain
