#pragma once

#include <cstddef>
#include <string_view>

namespace pretrain {

/// The end of the extended grapheme cluster (what a reader takes for one character; Unicode
/// Standard Annex 29, version 17) that begins at text[begin]. The text must be well-formed UTF-8,
/// begin the start of a cluster and less than its size.
std::size_t grapheme_end(std::string_view text, std::size_t begin);

}  // namespace pretrain
