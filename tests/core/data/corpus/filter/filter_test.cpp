#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/random.h"
#include "core/data/corpus/filter/duplicate_index.h"
#include "core/data/corpus/filter/quality_filter.h"
#include "core/data/corpus/filter/text_units.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using Views = std::vector<std::string_view>;

std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// `count` words that do not repeat, with two common ones in front.
std::string prose(int count, int seed = 0) {
  std::string text = "the and";
  for (int i = 2; i < count; ++i) text += " w" + std::to_string(seed) + "x" + std::to_string(i);
  return text;
}

const char* fault(const std::string& text, const std::string& rules) {
  QualityRules quality;
  set_quality_rules(rules, quality);
  return quality_fault(text, quality);
}

TEST(TextUnitsTest, WordsLinesParagraphs) {
  EXPECT_EQ(words_of(" a\u00A0bc\t\u3000\u00E4\n"), (Views{"a", "bc", "\u00E4"}));
  EXPECT_EQ(words_of(""), Views{});
  EXPECT_EQ(lines_of(" a b \r\n\n \nc"), (Views{"a b", "c"}));
  EXPECT_EQ(paragraphs_of("\n\na\nb\n \n\nc\n"), (Views{"a\nb", "c"}));
}

TEST(QualityFilterTest, LengthsCountCodePoints) {
  QualityRules rules;
  rules.min_chars = 3;
  rules.max_chars = 4;
  EXPECT_STREQ(quality_fault("\u00E4\u00E4", rules), "shorter than --min-chars");
  EXPECT_EQ(quality_fault("\u00E4\u00E4\u00E4\u00E4", rules), nullptr);
  EXPECT_STREQ(quality_fault("abcde", rules), "longer than --max-chars");
}

TEST(QualityFilterTest, Gopher) {
  EXPECT_EQ(fault(prose(50), "gopher"), nullptr);
  EXPECT_STREQ(fault(prose(49), "gopher"), "gopher: fewer than 50 words");
  EXPECT_STREQ(fault(repeat("ab ", 60), "gopher"), "gopher: mean length of words outside 3 to 10");
  EXPECT_STREQ(fault(prose(60) + repeat(" #abcd", 7), "gopher"),
               "gopher: more than one # in ten words");
  EXPECT_STREQ(fault(prose(60) + repeat(" abc...", 7), "gopher"),
               "gopher: more than one ellipsis in ten words");
  EXPECT_STREQ(fault(repeat("- some words here\n", 30), "gopher"),
               "gopher: more than 90 % of the lines are bullets");
  EXPECT_STREQ(fault(prose(60) + "\nabc...\nabc\u2026", "gopher"),
               "gopher: more than 30 % of the lines end in an ellipsis");
  EXPECT_STREQ(fault(prose(60) + repeat(" 12345", 20), "gopher"),
               "gopher: fewer than 80 % of the words have a letter");
  EXPECT_EQ(fault(repeat("\u00E4\u00F6\u00FC\u03B1 ", 60), "gopher"), nullptr);
}

TEST(QualityFilterTest, EnglishAndC4) {
  EXPECT_EQ(fault("The end OF it", "english"), nullptr);
  EXPECT_STREQ(fault("the the the", "english"), "english: fewer than two common words");
  EXPECT_EQ(fault("A. B! C? D... E.", "c4"), nullptr);
  EXPECT_STREQ(fault("A. B! C? D...", "c4"), "c4: fewer than five sentences");
  EXPECT_STREQ(fault("if (x) { y }", "c4"), "c4: a curly bracket");
  EXPECT_STREQ(fault("Lorem Ipsum dolor", "c4"), "c4: lorem ipsum");
}

TEST(QualityFilterTest, Repetition) {
  EXPECT_EQ(fault(prose(400), "repetition"), nullptr);
  EXPECT_EQ(fault("", "repetition"), nullptr);
  EXPECT_STREQ(fault(repeat("same line\n", 2) + "other", "repetition"),
               "repetition: more than 30 % of the lines occurred before");
  EXPECT_STREQ(fault(prose(40) + repeat("\n" + prose(20, 1), 2) + "\na\nb\nc", "repetition"),
               "repetition: more than 20 % of the text in repeated lines");
  EXPECT_STREQ(fault(repeat("many words ", 5) + prose(20), "repetition"),
               "repetition: more than 20 % of the text is one pair of words");
  // Two of three thirds are the same run of 60 words.
  const std::string run = prose(60, 2);
  EXPECT_THAT(
      fault(run + " " + prose(60, 3) + " " + run, "repetition"),
      ::testing::StartsWith("repetition: more than 15 % of the text in repeated runs of 5"));
}

TEST(QualityFilterTest, UnknownRulesAreNamed) {
  QualityRules rules;
  try {
    set_quality_rules("gopher,none", rules);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--quality none is not known"));
  }
}

TEST(DuplicateIndexTest, ExactDuplicates) {
  DuplicateIndex index({.exact = true});
  RandomStream random(1, RandomPurpose::kTest, 0);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t text = random.below(9000);
    const char* reason = index.add(content_hash(std::to_string(text)), {});
    ASSERT_EQ(reason == nullptr, seen.insert(text).second);
  }
  EXPECT_LT(index.bytes(), 1 << 20);
}

// Pages of one template have most bands in common and are still no near duplicates.
TEST(DuplicateIndexTest, CommonBandsTakeNoMemory) {
  DuplicateIndex distinct({.near = 0.9});
  DuplicateIndex templated({.near = 0.9});
  RandomStream random(7, RandomPurpose::kTest, 0);
  std::vector<std::uint16_t> first;
  for (int i = 0; i < 10000; ++i) {
    std::vector<std::uint16_t> signature;
    for (std::size_t k = 0; k < kSignature; ++k) {
      signature.push_back(static_cast<std::uint16_t>(random.next_u32()));
    }
    ASSERT_EQ(distinct.add(content_hash(""), signature), nullptr);
    if (first.empty()) first = signature;
    std::copy_n(first.begin(), 16 * kBandRows, signature.begin());
    ASSERT_EQ(templated.add(content_hash(""), signature), nullptr);
  }
  EXPECT_LT(templated.bytes(), distinct.bytes());
  EXPECT_STREQ(templated.add(content_hash(""), first), "near duplicate");
}

TEST(DuplicateIndexTest, SignaturesEstimateSimilarity) {
  RandomStream random(2, RandomPurpose::kTest, 0);
  for (const int changed : {0, 5, 20, 60, 200}) {
    // Two texts of 1,000 shingles that differ in single words far apart.
    std::vector<std::string> words;
    for (int i = 0; i < 1004; ++i) words.push_back(std::to_string(random.next_u32()));
    const auto text_of = [&] {
      std::string text;
      for (const std::string& word : words) text += word + " ";
      return text;
    };
    std::vector<std::uint16_t> a, b;
    append_signature(text_of(), a);
    std::set<int> shingles;
    for (int i = 0; i < changed; ++i) {
      const int at = static_cast<int>(random.below(1000));
      words[static_cast<std::size_t>(at)] = "changed" + std::to_string(i);
      for (int k = std::max(0, at - 4); k <= std::min(999, at); ++k) shingles.insert(k);
    }
    append_signature(text_of(), b);
    double equal = 0;
    for (std::size_t k = 0; k < kSignature; ++k) equal += a[k] == b[k] ? 1 : 0;
    const auto differ = static_cast<double>(shingles.size());
    EXPECT_NEAR(equal / kSignature, (1000 - differ) / (1000 + differ), 0.15) << changed;
  }
}

TEST(DuplicateIndexTest, NearDuplicatesByTheirSimilarity) {
  DuplicateIndex index({.exact = false, .near = 0.8});
  const auto add = [&](const std::string& text) {
    std::vector<std::uint16_t> signature;
    append_signature(text, signature);
    return index.add(content_hash(text), signature);
  };
  for (int i = 0; i < 300; ++i) EXPECT_EQ(add(prose(200, i)), nullptr) << i;
  EXPECT_LT(index.bytes(), 5 << 20);
  EXPECT_STREQ(add("THE and" + prose(200, 7).substr(7)), "near duplicate");
  EXPECT_STREQ(add(prose(200, 8) + " two words"), "near duplicate");
  // Half of it is another text.
  EXPECT_EQ(add(prose(200, 9) + prose(200, 1000)), nullptr);
  EXPECT_STREQ(add("one"), nullptr);
  EXPECT_STREQ(add("One"), "near duplicate");
}

}  // namespace
}  // namespace pretrain
