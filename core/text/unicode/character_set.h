#pragma once

#include <cstdint>

namespace pretrain {

/// Sets of code points that `tokenizers` takes from older versions of Unicode than the rest (9.0
/// for normalization forms and StripAccents, 8.0 for BERT): equal ids need the same sets.
enum class CharacterSet : std::uint8_t {
  kNewerThanForms,  ///< Unicode decomposes or reorders them, the normalization forms leave them
  kAccents,         ///< removed by StripAccents: marks
  kBertAccents,     ///< removed by BertNormalizer's strip_accents: nonspacing marks
  kBertControls,    ///< removed by its clean_text: controls, formats, private use, U+FFFD
};

/// `code_point` must be at most kMaxCodePoint.
bool is_in(CharacterSet set, std::uint32_t code_point);

}  // namespace pretrain
