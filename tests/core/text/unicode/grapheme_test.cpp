#include "core/text/unicode/grapheme.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pretrain {
namespace {

std::vector<std::string> clusters(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = grapheme_end(text, begin);
    parts.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return parts;
}

using Parts = std::vector<std::string>;

TEST(Grapheme, FollowsTheRulesOfTheAnnex) {
  EXPECT_EQ(clusters("ab"), (Parts{"a", "b"}));
  EXPECT_EQ(clusters("\r\n\n\r"), (Parts{"\r\n", "\n", "\r"}));
  EXPECT_EQ(clusters("e\u0301\u0323x"), (Parts{"e\u0301\u0323", "x"}));
  EXPECT_EQ(clusters("\n\u0301"), (Parts{"\n", "\u0301"}));
  EXPECT_EQ(clusters("\u1100\u1161\u11A8\u1100"), (Parts{"\u1100\u1161\u11A8", "\u1100"}));
  EXPECT_EQ(clusters("\uAC00\u1161\u11A8"), (Parts{"\uAC00\u1161\u11A8"}));
  EXPECT_EQ(clusters("\uAC01\u1161"), (Parts{"\uAC01", "\u1161"}));
  EXPECT_EQ(clusters("\uAC01\u11A8"), (Parts{"\uAC01\u11A8"}));
  EXPECT_EQ(clusters("\u0600a"), (Parts{"\u0600a"}));
  EXPECT_EQ(clusters("a\u0903b"), (Parts{"a\u0903", "b"}));
}

TEST(Grapheme, FlagsComeInPairs) {
  const std::string half = "\U0001F1E6";
  EXPECT_EQ(clusters(half + half + half), (Parts{half + half, half}));
}

TEST(Grapheme, PictographsJoin) {
  const std::string family = "\U0001F469\u200D\U0001F469";
  EXPECT_EQ(clusters(family + "\u200Da"), (Parts{family + "\u200D", "a"}));
  EXPECT_EQ(clusters("a\u200D\U0001F469"), (Parts{"a\u200D", "\U0001F469"}));
  EXPECT_EQ(clusters("\u00A9\u200D\u200D\u00A9"), (Parts{"\u00A9\u200D\u200D", "\u00A9"}));
}

TEST(Grapheme, ConjunctsStayTogether) {
  const std::string conjunct = "\u0915\u094D\u0937";
  EXPECT_EQ(clusters(conjunct), (Parts{conjunct}));
  EXPECT_EQ(clusters("\u0915\u094D\u200D\u0937"), (Parts{"\u0915\u094D\u200D\u0937"}));
  EXPECT_EQ(clusters("\u0915\u0937"), (Parts{"\u0915", "\u0937"}));
  EXPECT_EQ(clusters("a\u094D\u0937"), (Parts{"a\u094D", "\u0937"}));
}

}  // namespace
}  // namespace pretrain
