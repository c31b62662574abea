#include "core/text/unicode/utf8.h"

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace pretrain {
namespace {

// The definition, sequence by sequence, to compare the fast path with.
std::optional<std::size_t> slow_find(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    bool matched = false;
    for (std::size_t length = 1; length <= 4 && i + length <= text.size() && !matched; ++length) {
      const auto byte = [&](std::size_t k) {
        return std::uint32_t{static_cast<unsigned char>(text[i + k])};
      };
      std::uint32_t value = 0;
      if (length == 1) value = byte(0) < 0x80 ? byte(0) : kMaxCodePoint + 1;
      if (length == 2) value = (byte(0) & 0xE0) == 0xC0 ? byte(0) & 0x1F : kMaxCodePoint + 1;
      if (length == 3) value = (byte(0) & 0xF0) == 0xE0 ? byte(0) & 0x0F : kMaxCodePoint + 1;
      if (length == 4) value = (byte(0) & 0xF8) == 0xF0 ? byte(0) & 0x07 : kMaxCodePoint + 1;
      if (value > kMaxCodePoint) continue;
      bool ok = true;
      for (std::size_t k = 1; k < length; ++k) {
        ok = ok && (byte(k) & 0xC0) == 0x80;
        value = (value << 6) | (byte(k) & 0x3F);
      }
      std::string again;
      if (!ok || value > kMaxCodePoint || (value >= 0xD800 && value <= 0xDFFF)) continue;
      append_utf8(value, again);
      if (again.size() != length) continue;  // overlong
      matched = true;
      i += length;
    }
    if (!matched) return i;
  }
  return std::nullopt;
}

TEST(Utf8, EveryScalarRoundTrips) {
  std::string text;
  for (std::uint32_t c = 0; c <= kMaxCodePoint; ++c) {
    if (c < 0xD800 || c > 0xDFFF) append_utf8(c, text);
  }
  EXPECT_EQ(find_invalid_utf8(text), std::nullopt);
  std::size_t offset = 0;
  std::uint32_t expected = 0;
  while (offset < text.size()) {
    if (expected == 0xD800) expected = 0xE000;
    ASSERT_EQ(next_code_point(text, offset), expected++);
  }
  EXPECT_EQ(expected, kMaxCodePoint + 1);
}

TEST(Utf8, FirstIllFormedByteIsNamed) {
  const std::pair<std::string, std::size_t> cases[] = {
      {"\xff", 0},
      {"abcdefgh\x80", 8},
      {"0123456789\xc0\xaf", 10},  // overlong
      {"\xed\xa0\x80", 0},         // surrogate
      {"ok\xe2\x82", 2},           // cut off
      {"\xf4\x90\x80\x80", 0},     // above U+10FFFF
      {"\xc3\xa4\xc3", 2},
      {std::string("\0a\xfe", 3), 2},
  };
  for (const auto& [text, offset] : cases) EXPECT_EQ(find_invalid_utf8(text), offset) << text;
}

TEST(Utf8, AgreesWithTheDefinitionOnRandomBytes) {
  RandomStream random(1, RandomPurpose::kTest, 0);
  const unsigned char interesting[] = {0x20, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
                                       0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed,
                                       0xee, 0xef, 0xf0, 0xf3, 0xf4, 0xf5, 0xff};
  for (int trial = 0; trial < 50000; ++trial) {
    std::string text(random.below(24), ' ');
    for (char& c : text) c = static_cast<char>(interesting[random.below(sizeof interesting)]);
    ASSERT_EQ(find_invalid_utf8(text), slow_find(text)) << "trial " << trial;
  }
}

}  // namespace
}  // namespace pretrain
