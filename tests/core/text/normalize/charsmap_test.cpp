#include "core/text/normalize/charsmap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/base/error.h"
#include "tests/testing/made_up_charsmap.h"

namespace pretrain {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& bytes) {
  try {
    Charsmap(bytes, "x.model");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "nothing thrown";
}

TEST(Charsmap, FindsTheShortestBeginning) {
  const Charsmap map(made_up_charsmap({{"a", "X"}, {"\u00E9", ""}, {"bc", "Y!"}}), "x.model");
  EXPECT_EQ(map.replacement("abc"), "X");
  EXPECT_EQ(map.replacement("\u00E9"), "");
  EXPECT_EQ(map.replacement("bc"), "Y!");
  EXPECT_EQ(map.replacement("b"), std::nullopt);
  EXPECT_EQ(map.replacement(""), std::nullopt);
  EXPECT_EQ(map.replacement(std::string_view("\0a", 2)), std::nullopt);
  EXPECT_EQ(Charsmap("", "x.model").replacement("a"), std::nullopt);
}

TEST(Charsmap, NamesDamage) {
  const std::string good = made_up_charsmap({{"a", "X"}});
  EXPECT_THAT(refusal("ab"), HasSubstr("2 bytes, expected at least 4"));
  EXPECT_THAT(refusal(good.substr(0, 1000)), HasSubstr("a double array of"));
  EXPECT_THAT(refusal(good.substr(0, good.size() - 1)), HasSubstr("does not end with NUL"));
  EXPECT_THAT(refusal(good.substr(0, good.size() - 2) + "\xFF" + '\0'), HasSubstr("UTF-8"));
  std::string far = good;
  far[4 + 2] = '\x7F';  // the offset of the root
  EXPECT_THAT(refusal(far), HasSubstr("leads to"));
  std::string texts = good.substr(0, good.size() - 2) + '\0';
  EXPECT_EQ(refusal(texts), "nothing thrown");
}

TEST(Charsmap, MutationsAreRefusedOrHarmless) {
  const std::string good = made_up_charsmap({{"a", "X"}, {"\u00E9", "e"}, {"bc", "Y"}});
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (int k = 0; k < 3; ++k) {
      bad[random() % bad.size()] = static_cast<char>(random() % 256);
      // Most of the array is empty: aim at what is used, too.
      bad[4 + 4 * ((256 ^ static_cast<unsigned>("abc\xC3\xA9"[random() % 5] & 0xFF))) +
          random() % 4] = static_cast<char>(random() % 256);
    }
    if (random() % 8 == 0) bad.resize(random() % bad.size());
    try {
      const Charsmap map(bad, "x.model");
      for (const char* text : {"a", "\u00E9\u00E9", "bc", "bca\u00E9\U0001F469"}) {
        map.replacement(text);
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadData);
    }
  }
}

}  // namespace
}  // namespace pretrain
