#include "core/text/unicode/character_set.h"

#include <gtest/gtest.h>

#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

int count(CharacterSet set) {
  int members = 0;
  for (std::uint32_t c = 0; c <= kMaxCodePoint; ++c) members += is_in(set, c) ? 1 : 0;
  return members;
}

// Sizes counted with tokenizers 0.23.3.
TEST(CharacterSet, Sizes) {
  EXPECT_EQ(count(CharacterSet::kAccents), 2097);
  EXPECT_EQ(count(CharacterSet::kBertAccents), 1567);
  EXPECT_EQ(count(CharacterSet::kBertControls), 137681);
}

TEST(CharacterSet, Members) {
  EXPECT_TRUE(is_in(CharacterSet::kAccents, 0x301));
  EXPECT_FALSE(is_in(CharacterSet::kAccents, 0xE9));
  EXPECT_TRUE(is_in(CharacterSet::kBertControls, 0xFFFD));
  EXPECT_FALSE(is_in(CharacterSet::kBertControls, '\n'));
  EXPECT_TRUE(is_in(CharacterSet::kNewerThanForms, 0x32FF));  // of Unicode 12.1
  EXPECT_FALSE(is_in(CharacterSet::kNewerThanForms, 0xE9));
  EXPECT_FALSE(is_in(CharacterSet::kAccents, kMaxCodePoint));
}

}  // namespace
}  // namespace pretrain
