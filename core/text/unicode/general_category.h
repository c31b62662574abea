#pragma once

#include <cstdint>

namespace pretrain {

/// General categories by the names of the Unicode Standard (table 4-4).
enum class GeneralCategory : std::uint8_t {
  kLu,  // letters
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,  // marks
  kMc,
  kMe,
  kNd,  // numbers
  kNl,
  kNo,
  kPc,  // punctuation
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,  // symbols
  kSc,
  kSk,
  kSo,
  kZs,  // separators
  kZl,
  kZp,
  kCc,  // others
  kCf,
  kCs,
  kCo,
  kCn,
};

/// The version of the Unicode Character Database that all functions here speak of; tiktoken 0.14
/// and tokenizers 0.23 agree with it on every code point.
inline constexpr const char* kUnicodeVersion = "16.0.0";

/// A set of kinds of code points: bit k is category k, bit kSpaceControl the controls that are
/// white space (U+0009 to U+000D, U+0085), which are in no set of categories.
using CategorySet = std::uint32_t;

inline constexpr std::uint8_t kSpaceControl = 30;

/// The categories from `first` to `last`, in the order of GeneralCategory.
constexpr CategorySet category_range(GeneralCategory first, GeneralCategory last) {
  return (CategorySet{2} << static_cast<unsigned>(last)) -
         (CategorySet{1} << static_cast<unsigned>(first));
}

inline constexpr CategorySet kLetters = category_range(GeneralCategory::kLu, GeneralCategory::kLo);
inline constexpr CategorySet kMarks = category_range(GeneralCategory::kMn, GeneralCategory::kMe);
inline constexpr CategorySet kNumbers = category_range(GeneralCategory::kNd, GeneralCategory::kNo);
inline constexpr CategorySet kPunctuation =
    category_range(GeneralCategory::kPc, GeneralCategory::kPo);
inline constexpr CategorySet kSymbols = category_range(GeneralCategory::kSm, GeneralCategory::kSo);
/// The property White_Space: \s of the regular expressions of tokenizers.
inline constexpr CategorySet kWhiteSpace =
    category_range(GeneralCategory::kZs, GeneralCategory::kZp) | CategorySet{1} << kSpaceControl;

/// The kind of each code point 0 to kMaxCodePoint: its category, or kSpaceControl. For loops that
/// look up many; lives as long as the program.
const std::uint8_t* category_table();

/// Whether the kind of a code point, from category_table(), is in `set`.
constexpr bool in_set(CategorySet set, std::uint8_t kind) { return ((set >> kind) & 1) != 0; }

/// The general category of a code point, which must be at most kMaxCodePoint; so below.
GeneralCategory general_category(std::uint32_t code_point);

inline bool is_letter(std::uint32_t c) { return in_set(kLetters, category_table()[c]); }
inline bool is_mark(std::uint32_t c) { return in_set(kMarks, category_table()[c]); }
inline bool is_number(std::uint32_t c) { return in_set(kNumbers, category_table()[c]); }
inline bool is_punctuation(std::uint32_t c) { return in_set(kPunctuation, category_table()[c]); }
inline bool is_white_space(std::uint32_t c) { return in_set(kWhiteSpace, category_table()[c]); }

}  // namespace pretrain
