#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "core/base/error.h"
#include "core/text/model/word_models.h"
#include "core/text/unicode/utf8.h"
#include "tests/core/text/model/encode_word.h"

namespace pretrain {
namespace {

using Ids = std::vector<std::uint32_t>;
using Vocabulary = std::vector<std::string>;

std::string refusal(const Vocabulary& vocabulary, const std::vector<double>& scores,
                    const UnigramOptions& options, std::string_view word = "") {
  try {
    encode_word(*make_unigram(vocabulary, scores, options, "t.json"), word);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "nothing thrown";
}

TEST(Unigram, TakesTheBestSum) {
  const auto model = make_unigram({"<unk>", "a", "b", "ab", "abc", "c"}, {0, -1, -2, -2.5, -7, -3},
                                  {.unknown = 0}, "t");
  EXPECT_EQ(encode_word(*model, "ab"), (Ids{3}));
  EXPECT_EQ(encode_word(*model, "abc"), (Ids{3, 5}));  // -5.5 against -7
  EXPECT_EQ(encode_word(*model, "cba"), (Ids{5, 2, 1}));
  EXPECT_EQ(encode_word(*model, ""), Ids{});
  EXPECT_EQ(model->token(4), "abc");
  EXPECT_EQ(model->id_of("abc"), 4u);
  EXPECT_EQ(model->size(), 6u);
}

TEST(Unigram, NeighbouringUnknownCharactersAreOneToken) {
  const auto model = make_unigram({"<unk>", "a"}, {0, -1}, {.unknown = 0}, "t");
  EXPECT_EQ(encode_word(*model, "xya\u00E9\U0001F469z"), (Ids{0, 1, 0}));
  std::vector<WordToken> tokens;
  model->encode_spans("xya\u00E9\U0001F469z", tokens);
  EXPECT_EQ(tokens, (std::vector<WordToken>{{0, 2}, {1, 3}, {0, 10}}));
}

TEST(Unigram, UnknownCharactersBecomeBytes) {
  Vocabulary vocabulary = {"<unk>", "a"};
  std::vector<double> scores = {0, -1};
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
    vocabulary.push_back(name);
    scores.push_back(0);
  }
  const UnigramOptions options = {.unknown = 0, .byte_fallback = true};
  const auto model = make_unigram(vocabulary, scores, options, "t");
  EXPECT_EQ(encode_word(*model, "\u00E9a"), (Ids{2 + 0xC3, 2 + 0xA9, 1}));
  // All bytes of a run or none.
  vocabulary.pop_back();
  scores.pop_back();
  vocabulary.at(2 + 0xA9).push_back('x');
  const auto partly = make_unigram(vocabulary, scores, options, "t");
  EXPECT_EQ(encode_word(*partly, "\u00E9"), (Ids{0}));
  EXPECT_EQ(encode_word(*partly, "\u00EA"), (Ids{2 + 0xC3, 2 + 0xAA}));
}

TEST(Unigram, TextNeverBecomesAReservedToken) {
  const Vocabulary vocabulary = {"<unk>", "<s>", "<", "s", ">"};
  const std::vector<double> scores = {0, 0, -1, -1, -1};
  EXPECT_EQ(encode_word(*make_unigram(vocabulary, scores, {.unknown = 0}, "t"), "<s>"), (Ids{1}));
  EXPECT_EQ(
      encode_word(*make_unigram(vocabulary, scores, {.unknown = 0, .reserved = {1}}, "t"), "<s>"),
      (Ids{2, 3, 4}));
}

TEST(Unigram, NamesWhatIsWrong) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal({"a", "a"}, {0, 0}, {}), HasSubstr("t.json: tokens 0 and 1 are both \"a\""));
  EXPECT_THAT(refusal({"a", "b"}, {0}, {}), HasSubstr("1 scores of 2 tokens"));
  EXPECT_THAT(refusal({"a"}, {0}, {.unknown = 1}), HasSubstr("unk_id 1, expected 0 to 0"));
  EXPECT_THAT(refusal({"a", "b"}, {0, std::nan("")}, {}), HasSubstr("token 1 \"b\" has the score"));
  EXPECT_THAT(refusal({"a"}, {0}, {}, "ab"), HasSubstr("the character \"b\" is no token"));
}

// The same rule over whole words, with a map instead of a trie.
Ids best_path(const std::map<std::string, std::uint32_t>& ids, const std::vector<double>& scores,
              double unknown_score, const std::string& word) {
  struct End {
    double score = 0;
    std::uint32_t id = 0;
    std::size_t begin = std::string::npos;
  };
  std::vector<End> ends(word.size() + 1);
  for (std::size_t at = 0; at < word.size();) {
    std::size_t next = at;
    next_code_point(word, next);
    const auto enter = [&](std::size_t end, std::uint32_t id, double score) {
      End& there = ends[end];
      if (there.begin == std::string::npos || score > there.score) there = {score, id, at};
    };
    bool covered = false;
    for (std::size_t end = at + 1; end <= word.size(); ++end) {
      const auto found = ids.find(word.substr(at, end - at));
      if (found == ids.end()) continue;
      enter(end, found->second, ends[at].score + scores[found->second]);
      covered = covered || end == next;
    }
    if (!covered) enter(next, 0, ends[at].score + unknown_score);
    at = next;
  }
  Ids path;
  for (std::size_t end = word.size(); end > 0; end = ends[end].begin) {
    const std::uint32_t id = ends[end].id;
    if (id != 0 || path.empty() || path.back() != 0) path.push_back(id);
  }
  return {path.rbegin(), path.rend()};
}

TEST(Unigram, EqualsAViterbiOverWholeWords) {
  std::mt19937 random(1);
  const auto draw = [&](std::size_t most) {
    std::string text;
    for (std::size_t left = 1 + random() % most; left > 0; --left) {
      const std::uint32_t first = random() % 5 == 0 ? 0xE9 : 'a';
      append_utf8(first + static_cast<std::uint32_t>(random() % 3), text);
    }
    return text;
  };
  for (int round = 0; round < 20; ++round) {
    std::map<std::string, std::uint32_t> ids = {{"<unk>", 0}};
    Vocabulary vocabulary = {"<unk>"};
    std::vector<double> scores = {0};
    double least = 0;
    for (int i = 0; i < 60; ++i) {
      const std::string token = draw(5);
      if (!ids.emplace(token, vocabulary.size()).second) continue;
      vocabulary.push_back(token);
      scores.push_back(-static_cast<double>(random() % 8) / 2 - 1);  // few values: many ties
      least = std::min(least, scores.back());
    }
    const auto model = make_unigram(vocabulary, scores, {.unknown = 0}, "t");
    for (int i = 0; i < 500; ++i) {
      const std::string word = draw(40);
      ASSERT_EQ(encode_word(*model, word), best_path(ids, scores, least - 10, word)) << word;
    }
  }
}

TEST(Unigram, AWordOfMegabytesIsReadOnce) {
  const auto model =
      make_unigram({"<unk>", "a", "aa", "b"}, {0, -1, -1.5, -1}, {.unknown = 0}, "t");
  std::string word(2 << 20, 'a');
  EXPECT_EQ(encode_word(*model, word), Ids(1 << 20, 2));
  word.assign(2 << 20, 'x');
  EXPECT_EQ(encode_word(*model, word), Ids{0});
}

}  // namespace
}  // namespace pretrain
