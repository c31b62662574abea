#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/text/split/split_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcre2.h>

#include <memory>

#include "core/base/random.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Strings = std::vector<std::string>;

Strings pieces(const SplitPattern& pattern, std::string_view text) {
  Strings all;
  for_each_piece(pattern, text, [&](std::size_t begin, std::size_t end) {
    all.emplace_back(text.substr(begin, end - begin));
  });
  return all;
}

Strings pieces(const char* name, std::string_view text) {
  return pieces(find_split_pattern(split_regex(name)).value(), text);
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
}

// The reference: PCRE2 on well-formed UTF-8.
class Pcre2 {
 public:
  explicit Pcre2(std::string regex) {
    // PCRE2's own \s has U+180E, which left the property White_Space in Unicode 6.3.
    replace_all(regex, R"([^\s)", R"([^\t-\r\x{85}\p{Z})");
    replace_all(regex, R"(\s)", R"([\t-\r\x{85}\p{Z}])");
    replace_all(regex, R"(\S)", R"([^\t-\r\x{85}\p{Z}])");
    int error = 0;
    PCRE2_SIZE place = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(regex.c_str()), regex.size(),
                              PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY, &error, &place,
                              nullptr));
    if (code_ == nullptr) throw std::invalid_argument(regex);
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
    match_.reset(pcre2_match_data_create_from_pattern(code_.get(), nullptr));
  }

  Strings pieces(std::string_view text) const {
    Strings all;
    for (std::size_t at = 0; at < text.size();) {
      const int found = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                                    text.size(), at, PCRE2_NO_UTF_CHECK, match_.get(), nullptr);
      const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(match_.get());
      if (found <= 0 || bounds[0] != at) throw std::logic_error("a gap between pieces");
      all.emplace_back(text.substr(at, bounds[1] - at));
      at = bounds[1];
    }
    return all;
  }

 private:
  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
  };
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_data, Free> match_;
};

class SplitPatterns : public testing::TestWithParam<std::string> {
 protected:
  const std::string regex_ = split_regex(GetParam());
  const SplitPattern pattern_ = find_split_pattern(regex_).value();
  const Pcre2 reference_{regex_};
};

// Code points that PCRE2's older Unicode version does not know are compared with the reference
// libraries only.
TEST_P(SplitPatterns, CutEachScalarAloneAndBetweenLettersAsPcre2) {
  const Pcre2 assigned(R"(\p{Cn}+|\P{Cn}+)");
  for (std::uint32_t c = 0; c <= kMaxCodePoint; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string alone;
    append_utf8(c, alone);
    const std::string between = "a" + alone + "b";
    const std::string doubled = " " + alone + alone + "A" + alone + "'s";
    if (pieces(pattern_, alone) == reference_.pieces(alone) &&
        pieces(pattern_, between) == reference_.pieces(between) &&
        pieces(pattern_, doubled) == reference_.pieces(doubled)) {
      continue;
    }
    const bool newer = general_category(c) != GeneralCategory::kCn &&
                       assigned.pieces("a" + alone) == Strings{"a", alone};
    ASSERT_TRUE(newer) << "U+" << std::hex << c;
  }
}

TEST_P(SplitPatterns, CutRandomTextsAsPcre2) {
  // Each kind of character that an alternative names, in one to four bytes, and near misses.
  const std::vector<std::string> alphabet = {" ",           " ",
                                             "  ",          "\t",
                                             "\n",          "\r",
                                             "\r\n",        "'",
                                             "'s",          "'S",
                                             "'ll",         "'LL",
                                             "'Re",         "'v",
                                             "e",           "'d",
                                             "'M",          "'\u017F",
                                             "\u017F",      "a",
                                             "bc",          "Z",
                                             "QR",          "\u01C5",
                                             "\u02B0",      "\u0301",
                                             "\u0301",      "\u00E9",
                                             "\u00C9",      "\u4E2D",
                                             "\u3042",      "\U00020000",
                                             "1",           "22",
                                             "\u0663",      "\u00BD",
                                             "\u2163",      ".",
                                             "!?",          "/",
                                             "//",          "_",
                                             "\u3002",      "\U0001F600",
                                             "\u200D",      "\u00A0",
                                             "\u3000",      "\u0085",
                                             "\u2028",      "\u180E",
                                             "\u200B",      std::string(1, '\0'),
                                             "\x7F",        "internationalisation",
                                             "ABCDEFGHIJK", "12345678"};
  RandomStream random(1, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 30000; ++trial) {
    std::string text;
    for (std::uint64_t n = random.below(12); n > 0; --n)
      text += alphabet[random.below(alphabet.size())];
    ASSERT_EQ(pieces(pattern_, text), reference_.pieces(text)) << text;
  }
}

// Pieces tile any bytes, and an ill-formed byte is cut like a character that is nothing else.
TEST_P(SplitPatterns, CutInvalidUtf8AsIfEachBadByteWereAPrivateCharacter) {
  const std::vector<std::string> alphabet = {
      " ",    "a",    "B",    "'s",   "1",        "\n",          "\xE4\xB8\xAD",
      "\xE4", "\xB8", "\xFF", "\xC0", "\xF0\x9F", "\xED\xA0\x80"};
  const std::string stand_in = "\uE000";
  RandomStream random(2, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 30000; ++trial) {
    std::string text;
    for (std::uint64_t n = random.below(10); n > 0; --n)
      text += alphabet[random.below(alphabet.size())];
    std::string valid;
    std::vector<std::size_t> place;  // place[i]: where byte i of `valid` is in `text`
    for (std::size_t i = 0; i < text.size();) {
      std::uint32_t code_point = 0;
      const unsigned length = decode_utf8(&text[i], text.data() + text.size(), code_point);
      const std::string next = length == 0 ? stand_in : text.substr(i, length);
      for (std::size_t k = 0; k < next.size(); ++k) place.push_back(i + (length == 0 ? 0 : k));
      valid += next;
      i += length == 0 ? 1 : length;
    }
    place.push_back(text.size());
    Strings expected;
    std::size_t at = 0;
    for (const std::string& piece : reference_.pieces(valid)) {
      expected.push_back(text.substr(place[at], place[at + piece.size()] - place[at]));
      at += piece.size();
    }
    ASSERT_EQ(pieces(pattern_, text), expected) << testing::PrintToString(text);
  }
}

INSTANTIATE_TEST_SUITE_P(, SplitPatterns, testing::ValuesIn(split_pattern_names()),
                         [](const auto& test) { return test.param; });

TEST(SplitPattern, GivesThePiecesOfTheTextsInItsDocumentation) {
  EXPECT_THAT(pieces("gpt2", "I'm 12345  days\n old's"),
              ElementsAre("I", "'m", " 12345", " ", " days", "\n", " old", "'s"));
  EXPECT_THAT(pieces("llama3", "I'M 12345\n\n x!\n"),
              ElementsAre("I", "'M", " ", "123", "45", "\n\n", " x", "!\n"));
  EXPECT_THAT(pieces("llama3", "a\n  "), ElementsAre("a", "\n", "  "));
  EXPECT_THAT(pieces("cl100k", "a\n  "), ElementsAre("a", "\n  "));
  EXPECT_THAT(pieces("qwen2", "12"), ElementsAre("1", "2"));
  EXPECT_THAT(pieces("o200k", "camelCase's //\n/"), ElementsAre("camel", "Case's", " //\n/"));
  EXPECT_THAT(pieces("tekken", "Ab's"), ElementsAre("Ab", "'s"));
  EXPECT_THAT(pieces("gpt2", ""), IsEmpty());
  EXPECT_THAT(pieces("gpt2", std::string(1 << 20, 'x')), SizeIs(1));
}

TEST(SplitPattern, OtherTextsAreUnknown) {
  EXPECT_FALSE(find_split_pattern("").has_value());
  EXPECT_FALSE(find_split_pattern(R"(\p{L}+)").has_value());
  EXPECT_EQ(split_regex("nobody"), "");
  EXPECT_EQ(split_regex(""), "");
}

}  // namespace
}  // namespace pretrain
