#pragma once

#include <cstdint>
#include <string>

namespace pretrain {

/// Appends the full lower case form of a code point, in UTF-8: one code point, but for U+0130,
/// which becomes "i" with a dot above. Context plays no part (a final sigma is an ordinary one).
/// Unicode 17, as `tokenizers` 0.23. `code_point` must be at most kMaxCodePoint.
void append_lower_case(std::uint32_t code_point, std::string& text);

}  // namespace pretrain
