#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/text/normalize/normalizers.h"
#include "tests/testing/normalized.h"

namespace pretrain {
namespace {

// Digests of what the normalizers of tokenizers 0.23.3 make of the same texts.
TEST(SimpleNormalizers, EqualTokenizersOnAllScalars) {
  EXPECT_EQ(digest_over_scalars(*make_lowercase()),
            "8617a61d3e3e1a7e605efc691e5b9addb72a7d1973c5b81720336a04309512a2");
  EXPECT_EQ(digest_over_scalars(*make_strip_accents()),
            "0e04f172cbc1e46e5c5f0a74a2fa0a41f9bcd64ebf71e38297ee88623fa44c42");
}

TEST(SimpleNormalizers, Lowercase) {
  EXPECT_EQ(normalized(*make_lowercase(), "A\u00C9z \u0130\u03A3"), "a\u00E9z i\u0307\u03C3");
  EXPECT_EQ(origins(*make_lowercase(), "x\u0130"),
            (std::vector<TextSpan>{{0, 1}, {1, 3}, {1, 3}, {1, 3}}));
}

TEST(SimpleNormalizers, StripAccentsRemovesMarksOnly) {
  EXPECT_EQ(normalized(*make_strip_accents(), "e\u0301\u00E9"), "e\u00E9");
}

TEST(SimpleNormalizers, Strip) {
  const std::string text = "\u3000 a b\t\n";
  EXPECT_EQ(normalized(*make_strip(true, true), text), "a b");
  EXPECT_EQ(normalized(*make_strip(true, false), text), "a b\t\n");
  EXPECT_EQ(normalized(*make_strip(false, true), text), "\u3000 a b");
  EXPECT_EQ(normalized(*make_strip(false, false), text), text);
  for (const bool left : {true, false}) {
    EXPECT_EQ(normalized(*make_strip(left, !left), " \t"), "");
    EXPECT_EQ(normalized(*make_strip(left, !left), ""), "");
  }
  EXPECT_EQ(origins(*make_strip(true, true), " a "), (std::vector<TextSpan>{{1, 2}}));
}

TEST(SimpleNormalizers, Prepend) {
  EXPECT_EQ(normalized(*make_prepend("\u2581"), "a"), "\u2581a");
  EXPECT_EQ(normalized(*make_prepend("\u2581"), ""), "");
}

TEST(SimpleNormalizers, Replace) {
  const auto blank = make_replace(" ", "\u2581", "t");
  EXPECT_EQ(normalized(*blank, " a  b"), "\u2581a\u2581\u2581b");
  EXPECT_EQ(origins(*blank, "a "), (std::vector<TextSpan>{{0, 1}, {1, 2}, {1, 2}, {1, 2}}));
  EXPECT_EQ(normalized(*make_replace("aa", "b", "t"), "aaaaa"), "bba");
  EXPECT_EQ(normalized(*make_replace("a", "", "t"), "banana"), "bnn");
  EXPECT_THROW(make_replace("", "b", "t"), Error);
}

TEST(SimpleNormalizers, ReplaceRuns) {
  const auto blanks = make_replace_runs(" ", 2, "\u2581");
  EXPECT_EQ(normalized(*blanks, " a  b   c    "), " a\u2581b\u2581c\u2581");
  EXPECT_EQ(normalized(*blanks, " a b "), " a b ");
  EXPECT_EQ(normalized(*blanks, "     "), "\u2581");
  EXPECT_EQ(origins(*blanks, "a  b"),
            (std::vector<TextSpan>{{0, 1}, {2, 3}, {2, 3}, {2, 3}, {3, 4}}));
  EXPECT_EQ(
      normalized(*make_replace_runs("\u00e9", 3, "e"), "\u00e9\u00e9 \u00e9\u00e9\u00e9\u00e9"),
      "\u00e9\u00e9 e");
  EXPECT_EQ(normalized(*make_replace_runs("a", 1, ""), "banana"), "bnn");
}

TEST(SimpleNormalizers, Sequence) {
  std::vector<std::unique_ptr<Normalizer>> parts;
  parts.push_back(make_unicode_form(NormalizationForm::kNfd));
  parts.push_back(make_lowercase());
  parts.push_back(make_strip_accents());
  EXPECT_EQ(normalized(*make_normalizer_sequence(std::move(parts)), "\u00C9T\u00C9"), "ete");
}

}  // namespace
}  // namespace pretrain
