#include "core/base/escape_control.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/random.h"

namespace pretrain {
namespace {

TEST(EscapeControlTest, KeepsTextAndEscapesControls) {
  EXPECT_EQ(escape_control("a\\b \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
            "a\\b \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(escape_control(std::string_view("\0\t\n\r\x1b\x7f", 6)), "\\x00\\t\\n\\x0d\\x1b\\x7f");
  EXPECT_EQ(escape_control("\xc2\x80\xc2\x9f\xc2\xa0"), "\\xc2\\x80\\xc2\\x9f\xc2\xa0");
}

TEST(EscapeControlTest, EscapesWhatIsNotUtf8) {
  EXPECT_EQ(escape_control("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(escape_control("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(escape_control("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(escape_control("\xe2\x82"), "\\xe2\\x82");  // cut off
}

// For any bytes: the result is valid UTF-8 (judged by another decoder), free of control bytes,
// and a second escape changes nothing.
TEST(EscapeControlTest, HoldsForRandomBytes) {
  RandomStream random(1, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 3000; ++trial) {
    std::string bytes(random.below(12), '\0');
    for (char& c : bytes) c = static_cast<char>(random.below(256));
    const std::string escaped = escape_control(bytes);
    EXPECT_NO_THROW(nlohmann::json(escaped).dump());
    for (const char c : escaped) EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
    EXPECT_EQ(escape_control(escaped), escaped);
  }
}

}  // namespace
}  // namespace pretrain
