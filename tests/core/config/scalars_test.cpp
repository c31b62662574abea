#include "core/config/scalars.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "core/base/random.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;

TEST(ScalarsTest, BoolTakesTwoWordsAndHintsAtTheRest) {
  EXPECT_EQ(parse_bool("true").value, true);
  EXPECT_EQ(parse_bool("false").value, false);
  for (const char* word : {"yes", "on", "y", "True", "TRUE", "1"}) {
    EXPECT_FALSE(parse_bool(word).value) << word;
    EXPECT_EQ(parse_bool(word).advice, "Write true") << word;
  }
  for (const char* word : {"no", "off", "N", "False", "0"}) {
    EXPECT_FALSE(parse_bool(word).value) << word;
    EXPECT_EQ(parse_bool(word).advice, "Write false") << word;
  }
  EXPECT_FALSE(parse_bool("maybe").value);
  EXPECT_EQ(parse_bool("maybe").advice, "");
}

struct IntCase {
  const char* text;
  std::int64_t value;
};

TEST(ScalarsTest, IntegersAreRead) {
  for (const IntCase& c :
       {IntCase{"0", 0}, IntCase{"10", 10}, IntCase{"-3", -3},
        IntCase{"9223372036854775807", INT64_MAX}, IntCase{"-9223372036854775808", INT64_MIN}}) {
    EXPECT_EQ(parse_int(c.text).value, c.value) << c.text;
  }
}

TEST(ScalarsTest, WhatIsNoIntegerIsRefused) {
  for (const char* text : {"",
                           "-",
                           "+5",
                           " 5",
                           "5 ",
                           "0x10",
                           "1e3",
                           "8.5",
                           "8.0",
                           "1k",
                           "auto",
                           "1_000",
                           "010",
                           "-01",
                           "00",
                           "9223372036854775808",
                           "-9223372036854775809",
                           "99999999999999999999999",
                           "1,000",
                           "\xD9\xA1",
                           "5\n"}) {
    EXPECT_FALSE(parse_int(text).value) << text;
  }
}

TEST(ScalarsTest, FaultsSayWhatToWrite) {
  EXPECT_EQ(parse_int("010").fault, "010 has a leading zero. Write 10");
  EXPECT_EQ(parse_int("-007").fault, "-007 has a leading zero. Write -7");
  EXPECT_EQ(parse_int("000").fault, "000 has a leading zero. Write 0");
  EXPECT_EQ(parse_float("00.5").fault, "00.5 has a leading zero. Write 0.5");
  EXPECT_EQ(parse_float("012.5").fault, "012.5 has a leading zero. Write 12.5");
  EXPECT_EQ(parse_int("1_000").advice, "Write 1000");
  EXPECT_EQ(parse_time("600").advice, "Add a unit: 600s, or m h d");
  EXPECT_EQ(parse_bytes("25").advice, "Add a unit: B kB MB GB KiB MiB GiB");
  EXPECT_THAT(parse_int("9223372036854775808").fault, HasSubstr("does not fit in 64 bits"));
  EXPECT_THAT(parse_float("1e309").fault, HasSubstr("does not fit in 64 bits"));
}

TEST(ScalarsTest, CountsTakeDecimalAndBinarySuffixes) {
  for (const IntCase& c :
       {IntCase{"300", 300}, IntCase{"10k", 10'000}, IntCase{"-2k", -2'000},
        IntCase{"3M", 3'000'000}, IntCase{"1G", 1'000'000'000}, IntCase{"2T", 2'000'000'000'000},
        IntCase{"1Ki", 1024}, IntCase{"3Mi", 3 << 20}, IntCase{"1Gi", 1 << 30}}) {
    EXPECT_EQ(parse_count(c.text).value, c.value) << c.text;
  }
  for (const char* text : {"10K", "1.5k", "k", "10 k", "1Ti", "10kk", "01k", "9223372036854775807k",
                           "9300000T", "1B", "1m"}) {
    EXPECT_FALSE(parse_count(text).value) << text;
  }
}

TEST(ScalarsTest, BytesNeedAUnit) {
  for (const IntCase& c : {IntCase{"0B", 0}, IntCase{"5kB", 5'000}, IntCase{"25MiB", 25 << 20},
                           IntCase{"4GiB", std::int64_t{4} << 30}, IntCase{"2GB", 2'000'000'000}}) {
    EXPECT_EQ(parse_bytes(c.text).value, c.value) << c.text;
  }
  for (const char* text :
       {"25", "25Mi", "25KB", "25mb", "MiB", "1.5GiB", "9223372036854775807GiB"}) {
    EXPECT_FALSE(parse_bytes(text).value) << text;
  }
}

TEST(ScalarsTest, FloatsAreReadExactly) {
  EXPECT_EQ(parse_float("1").value, 1.0);
  EXPECT_EQ(parse_float("-0.5").value, -0.5);
  EXPECT_EQ(parse_float("1e-4").value, 1e-4);
  EXPECT_EQ(parse_float("1.0e-3").value, 1e-3);
  EXPECT_EQ(parse_float("2E+3").value, 2000.0);
  EXPECT_EQ(parse_float("1e308").value, 1e308);
}

TEST(ScalarsTest, WhatIsNoFloatIsRefused) {
  for (const char* text :
       {"",      "nan", "inf",   "-inf",   "NaN",   ".inf", ".5",  "5.",    "1e", "1e+",
        "0x1p3", "1,5", "1e309", "1e-400", "1_0.5", "+1",   "--1", "1.2.3", "01", "1e5x"}) {
    EXPECT_FALSE(parse_float(text).value) << text;
  }
}

TEST(ScalarsTest, TimesAreSeconds) {
  EXPECT_EQ(parse_time("90s").value, 90);
  EXPECT_EQ(parse_time("15m").value, 900);
  EXPECT_EQ(parse_time("2h").value, 7200);
  EXPECT_EQ(parse_time("1d").value, 86400);
  EXPECT_EQ(parse_time("1h30m").value, 5400);
  EXPECT_EQ(parse_time("1d2h3m4s").value, 93784);
  EXPECT_EQ(parse_time("0.5s").value, 0.5);
  for (const char* text : {"", "90", "s", "30m1h", "1h1h", "1h 30m", "-5s", "1.5h30m", "1w", "90S",
                           "08s", "1e3s", "99999999999999999d", "1.s"}) {
    EXPECT_FALSE(parse_time(text).value) << text;
  }
}

TEST(ScalarsTest, CanonicalTextsAreShort) {
  EXPECT_EQ(format_float(0.1), "0.1");
  EXPECT_EQ(format_float(1), "1.0");
  EXPECT_EQ(format_float(1e-8), "1e-8");
  EXPECT_EQ(format_float(3e-4), "3e-4");
  EXPECT_EQ(format_float(1e300), "1e300");
  EXPECT_EQ(bytes_text(25 << 20), "25MiB");
  EXPECT_EQ(bytes_text(1000), "1000B");
  EXPECT_EQ(bytes_text(0), "0B");
  EXPECT_EQ(format_time(600), "600s");
  EXPECT_EQ(format_time(0.5), "0.5s");
}

TEST(ScalarsTest, EveryFiniteFloatRoundTrips) {
  RandomStream random(1, RandomPurpose::kTest, 1);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random.next_u64());
    if (!std::isfinite(value)) continue;
    const auto parsed = parse_float(format_float(value));
    // Subnormal texts may be refused as out of range, never misread.
    if (std::isnormal(value)) {
      ASSERT_TRUE(parsed.value) << format_float(value);
    }
    if (parsed.value) {
      ASSERT_EQ(*parsed.value, value);
    }
  }
}

TEST(ScalarsTest, BytesAndTimesRoundTrip) {
  RandomStream random(1, RandomPurpose::kTest, 2);
  for (int i = 0; i < 5'000; ++i) {
    const auto bytes = static_cast<std::int64_t>(random.next_u64() >> (1 + random.below(63)));
    ASSERT_EQ(parse_bytes(bytes_text(bytes)).value, bytes);
    const auto seconds = static_cast<double>(random.below(1'000'000'000));
    ASSERT_EQ(parse_time(format_time(seconds)).value, seconds);
  }
}

TEST(ScalarsTest, TheLocaleChangesNothing) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  // Not every machine has a locale with a decimal comma; the text must be equal in any.
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8", ""}) {
    std::setlocale(LC_ALL, name);
    EXPECT_EQ(parse_float("1.5").value, 1.5) << name;
    EXPECT_EQ(format_float(1234567.5), "1234567.5") << name;
  }
  std::setlocale(LC_ALL, before.c_str());
}

}  // namespace
}  // namespace pretrain
