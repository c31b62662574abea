#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/base/error.h"
#include "core/text/model/word_models.h"
#include "tests/core/text/model/encode_word.h"

namespace pretrain {
namespace {

using Ids = std::vector<std::uint32_t>;
using Vocabulary = std::vector<std::string>;

const Vocabulary kSmall = {"[UNK]", "un", "##aff", "##able", "##a", "a", "able", "#", "##\u00E9"};

TEST(WordPiece, TakesTheLongestFirst) {
  const auto model = make_word_piece(kSmall, {}, "t");
  EXPECT_EQ(encode_word(*model, "unaffable"), (Ids{1, 2, 3}));
  EXPECT_EQ(encode_word(*model, "able"), (Ids{6}));
  EXPECT_EQ(encode_word(*model, "una\u00E9"), (Ids{1, 4, 8}));
  EXPECT_EQ(encode_word(*model, "##a"), (Ids{4}));  // the prefix in a text is text
  EXPECT_EQ(encode_word(*model, ""), Ids{});
  std::vector<WordToken> tokens;
  model->encode_spans("una\u00E9", tokens);
  EXPECT_EQ(tokens, (std::vector<WordToken>{{1, 2}, {4, 3}, {8, 5}}));
}

TEST(WordPiece, AWordThatCannotBeCutIsUnknownAsAWhole) {
  const auto model = make_word_piece(kSmall, {}, "t");
  EXPECT_EQ(encode_word(*model, "unaffablex"), (Ids{0}));
  EXPECT_EQ(encode_word(*model, "x"), (Ids{0}));
}

TEST(WordPiece, CountsCodePointsOfLongWords) {
  const auto model = make_word_piece(kSmall, {.max_characters = 3}, "t");
  EXPECT_EQ(encode_word(*model, "a\u00E9\u00E9"), (Ids{5, 8, 8}));
  EXPECT_EQ(encode_word(*model, "a\u00E9\u00E9\u00E9"), (Ids{0}));
}

TEST(WordPiece, OtherPrefixes) {
  const auto none = make_word_piece({"[UNK]", "a", "ab"}, {.prefix = ""}, "t");
  EXPECT_EQ(encode_word(*none, "aaba"), (Ids{1, 2, 1}));
  const auto absent = make_word_piece({"[UNK]", "a", "ab"}, {.prefix = "@@"}, "t");
  EXPECT_EQ(encode_word(*absent, "ab"), (Ids{2}));
  EXPECT_EQ(encode_word(*absent, "aba"), (Ids{0}));
}

TEST(WordPiece, TextNeverBecomesAReservedToken) {
  const auto model = make_word_piece({"[UNK]", "[CLS]", "["}, {.reserved = {1}}, "t");
  EXPECT_EQ(encode_word(*model, "[CLS]"), (Ids{0}));
  EXPECT_EQ(encode_word(*model, "["), (Ids{2}));
}

TEST(WordPiece, RefusesWhatItCannotExpress) {
  const auto model = make_word_piece({"a"}, {}, "t");
  Ids ids;
  EXPECT_THROW(model->encode("b", ids), Error);
}

TEST(WordPiece, EqualsASearchFromTheLongest) {
  std::mt19937 random(1);
  const auto draw = [&](std::size_t most) {
    std::string text(1 + random() % most, ' ');
    for (char& byte : text) byte = static_cast<char>('a' + random() % 3);
    return text;
  };
  std::map<std::string, std::uint32_t> ids = {{"[UNK]", 0}};
  Vocabulary vocabulary = {"[UNK]"};
  for (int i = 0; i < 60; ++i) {
    const std::string token = (random() % 2 == 0 ? "##" : "") + draw(4);
    if (ids.emplace(token, vocabulary.size()).second) vocabulary.push_back(token);
  }
  const auto model = make_word_piece(vocabulary, {}, "t");
  for (int i = 0; i < 5000; ++i) {
    const std::string word = draw(12);
    Ids expected;
    for (std::size_t start = 0; start < word.size();) {
      std::size_t end = word.size();
      const std::string prefix = start > 0 ? "##" : "";
      while (end > start && !ids.contains(prefix + word.substr(start, end - start))) --end;
      if (end == start) {
        expected = {0};
        break;
      }
      expected.push_back(ids[prefix + word.substr(start, end - start)]);
      start = end;
    }
    ASSERT_EQ(encode_word(*model, word), expected) << word;
  }
}

TEST(WordPiece, AWordOfMegabytesIsReadOnce) {
  const auto model = make_word_piece(kSmall, {.max_characters = SIZE_MAX}, "t");
  const std::string word(2 << 20, 'a');
  EXPECT_EQ(encode_word(*model, word).size(), word.size());
}

}  // namespace
}  // namespace pretrain
