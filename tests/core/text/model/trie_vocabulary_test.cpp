#include "core/text/model/trie_vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace pretrain {
namespace {

std::string refusal(std::vector<std::string> tokens, const std::vector<std::uint32_t>& reserved) {
  try {
    TrieVocabulary(std::move(tokens), reserved, "vocab.txt");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "nothing thrown";
}

TEST(TrieVocabulary, KnowsTextsAndIds) {
  const TrieVocabulary vocabulary({"a", "", "##b"}, {1}, "vocab.txt");
  EXPECT_EQ(vocabulary.size(), 3u);
  EXPECT_EQ(vocabulary.token(2), "##b");
  EXPECT_EQ(vocabulary.id_of("##b"), 2u);
  EXPECT_EQ(vocabulary.id_of(""), 1u);
  EXPECT_EQ(vocabulary.id_of("b"), std::nullopt);
  EXPECT_TRUE(vocabulary.is_reserved(1));
  EXPECT_FALSE(vocabulary.is_reserved(2));
}

TEST(TrieVocabulary, NamesBadEntries) {
  EXPECT_THAT(refusal({}, {}), testing::HasSubstr("vocab.txt: the vocabulary is empty"));
  EXPECT_THAT(refusal({"a", "b", "a"}, {}), testing::HasSubstr("tokens 0 and 2 are both \"a\""));
  EXPECT_THAT(refusal({"a", "\xC3"}, {}), testing::HasSubstr("token 1"));
  EXPECT_THAT(refusal({"a"}, {1}), testing::HasSubstr("special token with id 1, expected 0 to 0"));
}

}  // namespace
}  // namespace pretrain
