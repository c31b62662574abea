#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pretrain {

/// Largest Unicode code point.
inline constexpr std::uint32_t kMaxCodePoint = 0x10FFFF;

/// Byte offset of the first ill-formed sequence of `text`, or nullopt if all of it is well-formed
/// UTF-8 (The Unicode Standard, table 3-7: no overlong forms, no surrogates, at most U+10FFFF).
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// Bytes of the maximal ill-formed part at text[offset], which find_invalid_utf8 found: those that
/// could begin a sequence that is then broken off, at least one. Each such part stands for one
/// U+FFFD (The Unicode Standard, section 3.9, "U+FFFD substitution of maximal subparts").
std::size_t ill_formed_length(std::string_view text, std::size_t offset);

/// The code point at text[offset]; moves `offset` behind it. The text must be well-formed UTF-8 and
/// offset the start of a code point.
std::uint32_t next_code_point(std::string_view text, std::size_t& offset);

/// Appends the UTF-8 form of a code point that is no surrogate.
void append_utf8(std::uint32_t code_point, std::string& text);

}  // namespace pretrain
