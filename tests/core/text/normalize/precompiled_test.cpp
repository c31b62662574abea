#include <gtest/gtest.h>

#include "core/text/normalize/normalizers.h"
#include "tests/testing/made_up_charsmap.h"
#include "tests/testing/normalized.h"

namespace pretrain {
namespace {

std::unique_ptr<Normalizer> make(
    const std::vector<std::pair<std::string, std::string>>& replacements) {
  return make_precompiled(made_up_charsmap(replacements), "t");
}

TEST(Precompiled, ReplacesShortClustersAsAWhole) {
  const auto map = make({{"e\u0301", "\u00E9"}, {"\t", " "}, {"\uFF21", "A"}, {"\u200B", ""}});
  EXPECT_EQ(normalized(*map, "caf\u0065\u0301\t!"), "caf\u00E9 !");
  EXPECT_EQ(normalized(*map, "\uFF21\uFF21x"), "AAx");
  EXPECT_EQ(normalized(*map, "a\u200Bb"), "ab");
  // The shortest beginning stands for the whole cluster, as in tokenizers: the mark is lost.
  EXPECT_EQ(normalized(*map, "\uFF21\u0301"), "A");
  // A cluster of six bytes or more goes by code points.
  EXPECT_EQ(normalized(*map, "\uFF21\u0301\u0323"), "A\u0301\u0323");
  EXPECT_EQ(normalized(*map, ""), "");
}

TEST(Precompiled, LineEndsAreOneCluster) {
  const auto map = make({{"\n", " "}, {"\r", "_"}});
  EXPECT_EQ(normalized(*map, "a\nb"), "a b");
  EXPECT_EQ(normalized(*map, "a\r\nb"), "a_b");
  EXPECT_EQ(normalized(*map, "a\rb"), "a_b");
}

TEST(Precompiled, KnowsWhereTheTextComesFrom) {
  const auto map = make({{"e\u0301", "xyz"}, {"\u00E9", "uv"}, {"a\u0301", "b"}});
  EXPECT_EQ(origins(*map, "-e\u0301\u00E9a\u0301"),
            (std::vector<TextSpan>{{0, 1}, {1, 2}, {2, 4}, {2, 4}, {4, 6}, {4, 6}, {6, 7}}));
}

}  // namespace
}  // namespace pretrain
