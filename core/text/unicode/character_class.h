#pragma once

#include <cstdint>

namespace pretrain {

// Classes of code points that Hugging Face's `tokenizers` 0.23 takes from libraries of different
// Unicode versions (compared on all code points by tests/parity/tokenizer_pipeline_test.py). Others
// are in general_category.h. Code points must be at most kMaxCodePoint.

/// Categories Nd, Nl, No of Unicode 17.
bool is_number_17(std::uint32_t code_point);
/// The ASCII characters that are neither letters, digits, blanks nor controls, and the categories
/// P* of Unicode 8.
bool is_punctuation_8(std::uint32_t code_point);
/// `\w` of regular expressions (UTS 18, annex C), Unicode 16: Alphabetic, M*, Nd, Pc, Join_Control.
bool is_word_character(std::uint32_t code_point);

}  // namespace pretrain
