#pragma once

#include <cstdint>
#include <vector>

#include "core/text/tokenizer.h"

namespace pretrain {

/// Bits of word_parts().
inline constexpr std::uint8_t kContinuesWord = 1;  ///< no word starts with this token
inline constexpr std::uint8_t kEndsWord = 2;       ///< no word goes on after this token

/// [V] For each id which of the bits hold. Words are what lies between white space and punctuation,
/// as the tokens' texts tell (`##`, the mark of a blank, the mark of a word's end, or the blank
/// itself); a punctuation mark is a word. Bytes of a longer character count as letters.
std::vector<std::uint8_t> word_parts(const Tokenizer& tokenizer);

}  // namespace pretrain
