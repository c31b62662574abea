#include "core/text/pipeline/split_pre_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using Words = std::vector<std::string>;

bool is_dash(std::uint32_t code_point) { return code_point == '-'; }

Words split(SplitBehavior behavior, bool invert, const std::string& text) {
  Pieces pieces{NormalizedText(text, 0, false)};
  make_split(match_characters(is_dash, false), behavior, invert)->pre_tokenize(pieces);
  Words words;
  for (const PieceRange& word : pieces.ranges) {
    words.push_back(pieces.text.text().substr(word.begin, word.end - word.begin));
  }
  return words;
}

// The examples of the documentation of Hugging Face's tokenizers.
TEST(SplitPreTokenizer, EachBehavior) {
  const std::string text = "the-final--countdown";
  EXPECT_EQ(split(SplitBehavior::kRemoved, false, text), (Words{"the", "final", "countdown"}));
  EXPECT_EQ(split(SplitBehavior::kIsolated, false, text),
            (Words{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(split(SplitBehavior::kMergedWithPrevious, false, text),
            (Words{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(split(SplitBehavior::kMergedWithNext, false, text),
            (Words{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(split(SplitBehavior::kContiguous, false, text),
            (Words{"the", "-", "final", "--", "countdown"}));
}

TEST(SplitPreTokenizer, EdgesAndInversion) {
  EXPECT_EQ(split(SplitBehavior::kMergedWithPrevious, false, "--a-"), (Words{"-", "-", "a-"}));
  EXPECT_EQ(split(SplitBehavior::kMergedWithNext, false, "-a--"), (Words{"-a", "-", "-"}));
  EXPECT_EQ(split(SplitBehavior::kRemoved, true, "a--b"), (Words{"-", "-"}));
  EXPECT_EQ(split(SplitBehavior::kRemoved, false, "--"), Words{});
  EXPECT_EQ(split(SplitBehavior::kContiguous, false, ""), Words{});
}

}  // namespace
}  // namespace pretrain
