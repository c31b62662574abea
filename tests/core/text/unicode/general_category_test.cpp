#include "core/text/unicode/general_category.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

// utf8proc's numbers of the categories, in the order of GeneralCategory.
constexpr utf8proc_category_t kTheirs[] = {
    UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LL, UTF8PROC_CATEGORY_LT, UTF8PROC_CATEGORY_LM,
    UTF8PROC_CATEGORY_LO, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MC, UTF8PROC_CATEGORY_ME,
    UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NL, UTF8PROC_CATEGORY_NO, UTF8PROC_CATEGORY_PC,
    UTF8PROC_CATEGORY_PD, UTF8PROC_CATEGORY_PS, UTF8PROC_CATEGORY_PE, UTF8PROC_CATEGORY_PI,
    UTF8PROC_CATEGORY_PF, UTF8PROC_CATEGORY_PO, UTF8PROC_CATEGORY_SM, UTF8PROC_CATEGORY_SC,
    UTF8PROC_CATEGORY_SK, UTF8PROC_CATEGORY_SO, UTF8PROC_CATEGORY_ZS, UTF8PROC_CATEGORY_ZL,
    UTF8PROC_CATEGORY_ZP, UTF8PROC_CATEGORY_CC, UTF8PROC_CATEGORY_CF, UTF8PROC_CATEGORY_CS,
    UTF8PROC_CATEGORY_CO, UTF8PROC_CATEGORY_CN};

std::size_t count(CategorySet set) {
  std::size_t number = 0;
  for (std::uint32_t c = 0; c <= kMaxCodePoint; ++c) number += in_set(set, category_table()[c]);
  return number;
}

// utf8proc knows an older version: what that leaves unassigned may have a category here, and the
// standard has since moved a few characters from one category to another.
TEST(GeneralCategory, EqualsThatOfUtf8procWhereItsVersionAssignsOne) {
  std::size_t moved = 0;
  for (std::uint32_t c = 0; c <= kMaxCodePoint; ++c) {
    const utf8proc_category_t theirs = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    if (theirs == UTF8PROC_CATEGORY_CN) continue;
    moved += theirs != kTheirs[static_cast<std::size_t>(general_category(c))];
  }
  EXPECT_LE(moved, 8u);
}

// The numbers that \p{L}, \p{N}, \p{M}, \p{P}, \p{S} and \s match in tiktoken and tokenizers.
TEST(GeneralCategory, SetsHaveTheSizesOfUnicode16) {
  EXPECT_EQ(count(kLetters), 141028u);
  EXPECT_EQ(count(kNumbers), 1911u);
  EXPECT_EQ(count(kMarks), 2501u);
  EXPECT_EQ(count(kPunctuation), 855u);
  EXPECT_EQ(count(kSymbols), 8514u);
  EXPECT_EQ(count(kWhiteSpace), 25u);
  EXPECT_EQ(count(~CategorySet{0}), kMaxCodePoint + 1u);
}

TEST(GeneralCategory, NamesOfTheSetsFitTheirMembers) {
  EXPECT_TRUE(is_letter('a') && is_letter(0x4E2D) && is_letter(0x1C89));  // the last: new in 16
  EXPECT_TRUE(is_number('7') && is_number(0x2163) && !is_number('a'));
  EXPECT_TRUE(is_mark(0x301) && !is_mark('a'));
  EXPECT_TRUE(is_punctuation('_') && is_punctuation(0x3002) && !is_punctuation('+'));
  EXPECT_TRUE(is_white_space('\t') && is_white_space(0x85) && is_white_space(0x3000));
  EXPECT_FALSE(is_white_space(0x1C) || is_white_space(0x200B));
  EXPECT_EQ(general_category('\n'), GeneralCategory::kCc);
  EXPECT_EQ(general_category(0xD800), GeneralCategory::kCs);
  EXPECT_EQ(general_category(kMaxCodePoint), GeneralCategory::kCn);
}

}  // namespace
}  // namespace pretrain
