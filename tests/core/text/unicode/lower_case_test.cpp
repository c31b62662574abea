#include "core/text/unicode/lower_case.h"

#include <gtest/gtest.h>

namespace pretrain {
namespace {

std::string lower(std::uint32_t code_point) {
  std::string text;
  append_lower_case(code_point, text);
  return text;
}

TEST(LowerCase, OfCodePoints) {
  EXPECT_EQ(lower('Q'), "q");
  EXPECT_EQ(lower('q'), "q");
  EXPECT_EQ(lower('['), "[");
  EXPECT_EQ(lower(0xC9), "\u00E9");
  EXPECT_EQ(lower(0x130), "i\u0307");
  EXPECT_EQ(lower(0x3A3), "\u03C3");
  EXPECT_EQ(lower(0x10D51), "\U00010D71");  // of Unicode 16
  EXPECT_EQ(lower(0x16EB8), "\U00016ED3");  // of Unicode 17
  EXPECT_EQ(lower(0x4E2D), "\u4E2D");
}

}  // namespace
}  // namespace pretrain
