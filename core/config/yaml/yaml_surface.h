#pragma once

#include <cstddef>
#include <string_view>

#include "core/config/config_node.h"
#include "core/config/error_list.h"

namespace pretrain {

/// Limits of one configuration text. They keep hostile input cheap: the parser library queues a
/// whole flow collection before it reports its first event.
constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxConfigNodes = 100'000;
constexpr std::size_t kMaxConfigDepth = 32;

/// Empty if `text` is valid UTF-8 (no overlong forms, no surrogates), else the offset of the first
/// byte that is not, in [0, text.size()); std::string_view::npos if all is valid.
std::size_t first_invalid_utf8(std::string_view text);

/// Offset of the quote that closes the one at `begin` ('' and \" close nothing), or npos.
std::size_t closing_quote(std::string_view text, std::size_t begin);

/// What can be refused before parsing: size, byte order mark, NUL and other control bytes, tabs,
/// invalid UTF-8, directives, and collections in brackets that are nested too deep or have too many
/// parts, and endless words. Places are `origin` with their line and column, or `origin` itself if
/// its line is 0. Returns false if something was added to `errors`.
bool check_yaml_surface(std::string_view text, const Mark& origin, ErrorList& errors);

}  // namespace pretrain
