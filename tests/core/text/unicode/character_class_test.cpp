#include "core/text/unicode/character_class.h"

#include <gtest/gtest.h>

#include <cctype>

#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

TEST(CharacterClass, AsciiIsThatOfTheCLocale) {
  for (std::uint32_t c = 0; c < 0x80; ++c) {
    const int i = static_cast<int>(c);
    EXPECT_EQ(is_number_17(c), std::isdigit(i) != 0) << c;
    EXPECT_EQ(is_punctuation_8(c), std::ispunct(i) != 0) << c;
    EXPECT_EQ(is_word_character(c), std::isalnum(i) != 0 || c == '_') << c;
  }
}

TEST(CharacterClass, CountsOfTheUnicodeVersions) {
  int numbers = 0, punctuation = 0, words = 0;
  for (std::uint32_t c = 0; c <= kMaxCodePoint; ++c) {
    numbers += is_number_17(c) ? 1 : 0;
    punctuation += is_punctuation_8(c) ? 1 : 0;
    words += is_word_character(c) ? 1 : 0;
  }
  EXPECT_EQ(numbers, 1924);
  EXPECT_EQ(punctuation, 726);
  EXPECT_EQ(words, 144667);
}

TEST(CharacterClass, EdgesOfRanges) {
  EXPECT_TRUE(is_number_17(0xB2));  // superscript two
  EXPECT_TRUE(is_number_17(0x2167));
  EXPECT_FALSE(is_number_17(0x4E00));  // ideographs that count are letters
  EXPECT_TRUE(is_punctuation_8(0x3001));
  EXPECT_FALSE(is_punctuation_8(0x2E43));  // came after Unicode 8
  EXPECT_TRUE(is_word_character(0x0301));
  EXPECT_TRUE(is_word_character(0x200D));
  EXPECT_TRUE(is_word_character(0x24B6));
  EXPECT_FALSE(is_word_character(0xB2));
  EXPECT_FALSE(is_word_character(kMaxCodePoint));
}

}  // namespace
}  // namespace pretrain
