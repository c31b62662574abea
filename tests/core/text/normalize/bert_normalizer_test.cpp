#include <gtest/gtest.h>

#include "core/text/normalize/normalizers.h"
#include "tests/testing/normalized.h"

namespace pretrain {
namespace {

// Digests of what BertNormalizer of tokenizers 0.23.3 makes of the same texts.
TEST(BertNormalizer, EqualsTokenizersOnAllScalars) {
  EXPECT_EQ(digest_over_scalars(*make_bert_normalizer({})),
            "a50fbdf4292eb588793835a973a26b0daf4a2ef83f76fcfe52de19a965373ed9");
  EXPECT_EQ(digest_over_scalars(*make_bert_normalizer({.lowercase = false})),
            "0ba6f3c68dbd15b76bc56be076e27739ed0ea925d7049aa482fda5e71e3b1e76");
}

TEST(BertNormalizer, StepsCanBeLeftOut) {
  const std::string text = "\u00C9\t\u4E2D\x01";
  EXPECT_EQ(normalized(*make_bert_normalizer({}), text), "e  \u4E2D ");
  EXPECT_EQ(normalized(*make_bert_normalizer({.clean_text = false}), text), "e\t \u4E2D \x01");
  EXPECT_EQ(normalized(*make_bert_normalizer({.handle_chinese_chars = false}), text), "e \u4E2D");
  EXPECT_EQ(normalized(*make_bert_normalizer({.strip_accents = false}), text), "\u00E9  \u4E2D ");
  EXPECT_EQ(normalized(*make_bert_normalizer({.lowercase = false}), text), "\u00C9  \u4E2D ");
  EXPECT_EQ(normalized(*make_bert_normalizer({.strip_accents = true, .lowercase = false}), text),
            "E  \u4E2D ");
}

TEST(BertNormalizer, KnowsWhereTheTextComesFrom) {
  EXPECT_EQ(origins(*make_bert_normalizer({}), "\x01\u00C9\u4E2D"),
            (std::vector<TextSpan>{{1, 3}, {3, 6}, {3, 6}, {3, 6}, {3, 6}, {3, 6}}));
}

}  // namespace
}  // namespace pretrain
