#include "core/text/pipeline/word_matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/unicode/general_category.h"

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Stretch> find(const std::unique_ptr<WordMatcher>& matcher, std::string_view word) {
  std::vector<Stretch> stretches = {{7, true}};  // to be replaced
  matcher->find(word, stretches);
  return stretches;
}

TEST(WordMatcher, CharactersOneByOneOrInRuns) {
  const auto each = match_characters(is_white_space, false);
  EXPECT_THAT(find(each, "ab  c"), ElementsAre(Stretch{2, false}, Stretch{3, true},
                                               Stretch{4, true}, Stretch{5, false}));
  EXPECT_THAT(find(each, ""), IsEmpty());
  const auto runs = match_characters(is_white_space, true);
  EXPECT_THAT(find(runs, " \u3000\u00e9"), ElementsAre(Stretch{4, true}, Stretch{6, false}));
}

TEST(WordMatcher, WordsAndMarksAreMatchedAndSpaceIsNot) {
  EXPECT_THAT(find(match_words_and_marks(), "a1_, .\u4e2d"),
              ElementsAre(Stretch{3, true}, Stretch{4, true}, Stretch{5, false}, Stretch{6, true},
                          Stretch{9, true}));
}

TEST(WordMatcher, LiteralsDoNotOverlap) {
  const auto literal = match_literal("aa");
  EXPECT_THAT(find(literal, "aaab"), ElementsAre(Stretch{2, true}, Stretch{4, false}));
  EXPECT_THAT(find(literal, "baaaa"),
              ElementsAre(Stretch{1, false}, Stretch{3, true}, Stretch{5, true}));
}

}  // namespace
}  // namespace pretrain
