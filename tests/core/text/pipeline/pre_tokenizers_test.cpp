#include "core/text/pipeline/pre_tokenizers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pretrain {
namespace {

using Words = std::vector<std::string>;

Words words_of(const Pieces& pieces) {
  Words words;
  for (const PieceRange& word : pieces.ranges) {
    words.push_back(pieces.text.text().substr(word.begin, word.end - word.begin));
  }
  return words;
}

Words split(const std::unique_ptr<PreTokenizer>& part, const std::string& text,
            std::uint64_t source_begin = 0) {
  Pieces pieces{NormalizedText(text, source_begin, false)};
  part->pre_tokenize(pieces);
  return words_of(pieces);
}

TEST(BertPreTokenizer, DropsSpaceAndIsolatesPunctuation) {
  EXPECT_EQ(split(make_bert_pre_tokenizer(), " It's\u3000(\u00bfs\u00ed?)\n"),
            (Words{"It", "'", "s", "(", "\u00bf", "s\u00ed", "?", ")"}));
}

TEST(ByteLevelPreTokenizer, WritesSymbolsAndPrefixes) {
  EXPECT_EQ(split(make_byte_level(true, nullptr, true), "a \u00e9"),
            (Words{"\u0120a\u0120\u00c3\u00a9"}));
  EXPECT_EQ(split(make_byte_level(true, nullptr, false), " a"), (Words{" a"}));
  EXPECT_EQ(split(make_byte_level(false, match_words_and_marks(), false), "a, b"),
            (Words{"a", ",", " ", "b"}));
  EXPECT_EQ(split(make_byte_level(true, nullptr, false), ""), Words{});
}

TEST(Metaspace, MarksAndSplits) {
  const std::string mark = "\u2581";
  EXPECT_EQ(split(make_metaspace(mark, PrependScheme::kAlways, true), "Hey  friend!"),
            (Words{mark + "Hey", mark, mark + "friend!"}));
  EXPECT_EQ(split(make_metaspace(mark, PrependScheme::kAlways, false), " Hey x"),
            (Words{mark + "Hey" + mark + "x"}));
  EXPECT_EQ(split(make_metaspace(mark, PrependScheme::kNever, true), "Hey"), (Words{"Hey"}));
  EXPECT_EQ(split(make_metaspace(mark, PrependScheme::kAlways, true), mark + "Hey"),
            (Words{mark + "Hey"}));
}

TEST(Metaspace, FirstMeansTheStartOfTheWholeText) {
  const auto part = make_metaspace("_", PrependScheme::kFirst, false);
  EXPECT_EQ(split(part, "Hey"), (Words{"_Hey"}));
  EXPECT_EQ(split(part, "Hey", 3), (Words{"Hey"}));
}

TEST(PreTokenizers, OriginsSurviveRewriting) {
  Pieces pieces{NormalizedText("ab cd", 0, true)};
  std::vector<std::unique_ptr<PreTokenizer>> parts;
  parts.push_back(make_metaspace("\u2581", PrependScheme::kAlways, true));
  parts.push_back(make_byte_level(false, nullptr, true));
  make_pre_tokenizer_sequence(std::move(parts))->pre_tokenize(pieces);
  ASSERT_EQ(pieces.ranges.size(), 2u);
  EXPECT_EQ(pieces.text.origin(pieces.ranges[0].begin, pieces.ranges[0].end), (TextSpan{0, 2}));
  EXPECT_EQ(pieces.text.origin(pieces.ranges[1].begin, pieces.ranges[1].end), (TextSpan{2, 5}));
}

}  // namespace
}  // namespace pretrain
