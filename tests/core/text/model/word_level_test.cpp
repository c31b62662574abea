#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/text/model/word_models.h"
#include "tests/core/text/model/encode_word.h"

namespace pretrain {
namespace {

using Ids = std::vector<std::uint32_t>;

TEST(WordLevel, KnowsWholeWords) {
  const auto model = make_word_level({"<unk>", "the", "then"}, {.unknown = "<unk>"}, "t");
  EXPECT_EQ(model->size(), 3u);
  EXPECT_EQ(model->token(2), "then");
  EXPECT_EQ(model->id_of("the"), 1u);
  EXPECT_EQ(encode_word(*model, "then"), Ids{2});
  EXPECT_EQ(encode_word(*model, "them"), Ids{0});
  EXPECT_EQ(encode_word(*model, "th"), Ids{0});
  EXPECT_EQ(encode_word(*model, ""), Ids{});
  std::vector<WordToken> tokens;
  model->encode_spans("then", tokens);
  EXPECT_EQ(tokens, (std::vector<WordToken>{{2, 4}}));
}

TEST(WordLevel, TextNeverBecomesAReservedToken) {
  const auto model =
      make_word_level({"<unk>", "[CLS]"}, {.unknown = "<unk>", .reserved = {1}}, "t");
  EXPECT_EQ(encode_word(*model, "[CLS]"), Ids{0});
  EXPECT_EQ(model->id_of("[CLS]"), 1u);
}

TEST(WordLevel, RefusesAnUnknownWordWithoutUnknownToken) {
  const auto model = make_word_level({"the"}, {.unknown = "<unk>"}, "t");
  Ids ids;
  try {
    model->encode("then", ids);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    EXPECT_STREQ(error.what(),
                 "the word \"then\" is not in the vocabulary, and the vocabulary has no unknown "
                 "token \"<unk>\"");
  }
}

}  // namespace
}  // namespace pretrain
