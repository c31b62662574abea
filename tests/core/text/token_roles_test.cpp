#include "core/text/token_roles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/special_vocabulary.h"

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The roles of the byte tokenizer with the specials of a list; their ids begin at 257.
TokenRoles roles_of(const char* list) {
  return token_roles(*make_byte_tokenizer(parse_special_tokens(list)));
}

TEST(TokenRoles, AreMissingWithoutSpecials) {
  const TokenRoles byte = token_roles(*make_byte_tokenizer());
  EXPECT_EQ(byte.eos, 256);
  for (const std::int64_t id : {byte.pad, byte.cls, byte.sep, byte.mask, byte.bos, byte.fim_prefix,
                                byte.fim_middle, byte.fim_suffix}) {
    EXPECT_EQ(id, -1);
  }
  EXPECT_THAT(byte.sentinels, IsEmpty());
  EXPECT_EQ(token_roles(*make_char_tokenizer({'a'}, false)).eos, -1);
}

TEST(TokenRoles, FollowTheUsualTexts) {
  const TokenRoles bert = roles_of("bert");
  EXPECT_EQ(bert.pad, 257);
  EXPECT_EQ(bert.cls, 258);
  EXPECT_EQ(bert.sep, 259);
  EXPECT_EQ(bert.mask, 260);
  EXPECT_EQ(bert.bos, -1);
  const TokenRoles roberta = roles_of("<s>,<pad>,</s>,<mask>");
  EXPECT_EQ(roberta.cls, 257);
  EXPECT_EQ(roberta.bos, 257);
  EXPECT_EQ(roberta.pad, 258);
  EXPECT_EQ(roberta.sep, 259);
  EXPECT_EQ(roberta.mask, 260);
  const TokenRoles fim = roles_of("fim,<|startoftext|>");
  EXPECT_EQ(fim.fim_prefix, 257);
  EXPECT_EQ(fim.fim_middle, 258);
  EXPECT_EQ(fim.fim_suffix, 259);
  EXPECT_EQ(fim.bos, 260);
  EXPECT_EQ(fim.cls, -1);
}

TEST(TokenRoles, PreferTheFirstOfTheUsualTexts) {
  const TokenRoles both = roles_of("<pad>,<s>,</s>,<mask>,<|startoftext|>,bert");
  EXPECT_EQ(both.pad, 262);
  EXPECT_EQ(both.cls, 263);
  EXPECT_EQ(both.sep, 264);
  EXPECT_EQ(both.mask, 265);
  EXPECT_EQ(both.bos, 258);
}

TEST(TokenRoles, CountSentinelsUpToTheFirstMissing) {
  const TokenRoles t5 = roles_of("t5");
  EXPECT_EQ(t5.pad, 257);
  EXPECT_EQ(t5.sep, 258);
  ASSERT_EQ(t5.sentinels.size(), 100u);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(t5.sentinels[i], 259 + static_cast<std::int64_t>(i));
  }
  EXPECT_THAT(roles_of("<extra_id_1>,<extra_id_0>,<extra_id_3>").sentinels, ElementsAre(258, 257));
  EXPECT_THAT(roles_of("<extra_id_1..5>").sentinels, IsEmpty());
}

}  // namespace
}  // namespace pretrain
