#include "core/text/pipeline/normalized_text.h"

#include <gtest/gtest.h>

namespace pretrain {
namespace {

TEST(NormalizedText, StandsForItselfAtFirst) {
  const NormalizedText text("a\u00e9b", 10, true);
  EXPECT_EQ(text.origin(0, 1), (TextSpan{10, 11}));
  EXPECT_EQ(text.origin(2, 3), (TextSpan{11, 13}));
  EXPECT_EQ(text.origin(0, 4), (TextSpan{10, 14}));
  EXPECT_FALSE(text.at_source_start());
  EXPECT_TRUE(NormalizedText("a", 0, false).at_source_start());
}

TEST(NormalizedText, MapKeepsOriginsOfCodePoints) {
  NormalizedText text("a\u00e9 b", 0, true);
  text.map([](std::uint32_t code_point, std::string& out) {
    if (code_point == ' ') return;
    append_utf8(code_point, out);
    if (code_point == 0xE9) out += "!!";
  });
  EXPECT_EQ(text.text(), "a\u00e9!!b");
  EXPECT_EQ(text.origin(4, 5), (TextSpan{1, 3}));
  EXPECT_EQ(text.origin(5, 6), (TextSpan{4, 5}));
  EXPECT_TRUE(text.at_source_start());
}

TEST(NormalizedText, ReplacePrependAndStrip) {
  NormalizedText text("  one two", 0, true);
  text.keep_only(2, 9);
  EXPECT_EQ(text.text(), "one two");
  EXPECT_FALSE(text.at_source_start());
  text.replace(3, 4, "\u2581");
  text.prepend("<>");
  EXPECT_EQ(text.text(), "<>one\u2581two");
  EXPECT_EQ(text.origin(0, 2), (TextSpan{2, 3}));
  EXPECT_EQ(text.origin(5, 8), (TextSpan{5, 6}));
  EXPECT_EQ(text.origin(2, 11), (TextSpan{2, 9}));
  text.replace(2, 5, "");
  EXPECT_EQ(text.text(), "<>\u2581two");
  EXPECT_EQ(text.origin(2, 8), (TextSpan{5, 9}));
}

TEST(NormalizedText, APartIsACopyOfItsOwn) {
  const NormalizedText text("a\u00e9b", 10, true);
  const NormalizedText part = text.part(1, 4);
  EXPECT_EQ(part.text(), "\u00e9b");
  EXPECT_EQ(part.origin(0, 3), (TextSpan{11, 14}));
  EXPECT_EQ(text.text(), "a\u00e9b");
  EXPECT_LT(NormalizedText(std::string(1 << 20, 'x'), 0, false).part(5, 9).text().capacity(), 100u);
  EXPECT_TRUE(NormalizedText("ab", 0, false).part(0, 1).at_source_start());
  EXPECT_FALSE(NormalizedText("ab", 0, false).part(1, 2).at_source_start());
  EXPECT_FALSE(text.part(0, 1).at_source_start());
}

TEST(NormalizedText, TheSameTextWithoutOrigins) {
  NormalizedText text("  x", 0, false);
  EXPECT_FALSE(text.has_origins());
  text.keep_only(2, 3);
  text.prepend("__");
  text.replace(2, 3, "yz");
  EXPECT_EQ(text.text(), "__yz");
  NormalizedText empty("", 0, true);
  empty.prepend("__");
  empty.replace(0, 0, "x");
  EXPECT_EQ(empty.text(), "");
}

}  // namespace
}  // namespace pretrain
