#include "core/metrics/number_format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/random.h"

namespace pretrain {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(NumberFormatTest, FixedScientificCompact) {
  EXPECT_EQ(fixed(3.4116, 3), "3.412");
  EXPECT_EQ(scientific(2.94e-4, 1), "2.9e-04");
  EXPECT_EQ(compact(0.813, 2), "0.81");
  EXPECT_EQ(compact(0, 2), "0.00");
  EXPECT_EQ(compact(2.5e-7, 3), "2.50e-07");
  EXPECT_EQ(compact(1.25e9, 2), "1.25e+09");
  EXPECT_EQ(compact(std::nan(""), 3), "nan");
  EXPECT_EQ(compact(-std::nan(""), 3), "nan");
  EXPECT_EQ(compact(kInf, 3), "inf");
  EXPECT_EQ(compact(-kInf, 3), "-inf");
}

TEST(NumberFormatTest, WithUnit) {
  EXPECT_EQ(with_unit(0), "0");
  EXPECT_EQ(with_unit(812.4), "812");
  EXPECT_EQ(with_unit(999.6), "1.0k");
  EXPECT_EQ(with_unit(41200), "41.2k");
  EXPECT_EQ(with_unit(999949), "999.9k");
  EXPECT_EQ(with_unit(999951), "1.0M");
  EXPECT_EQ(with_unit(2.04e9), "2.0G");
  EXPECT_EQ(with_unit(std::nan("")), "nan");
  EXPECT_EQ(with_unit(kInf), "inf");
}

TEST(NumberFormatTest, WithUnitIsShortAndNear) {
  RandomStream random(6, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 2000; ++trial) {
    const double value = std::pow(10.0, 3 + 14 * random.uniform());
    const std::string text = with_unit(value);
    const double factor = std::pow(1000.0, 1 + std::string("kMGTP").find(text.back()));
    EXPECT_NEAR(std::stod(text) * factor / value, 1, 0.051) << text;
    EXPECT_LE(text.size(), 6u);
  }
}

TEST(NumberFormatTest, GibPercentDuration) {
  EXPECT_EQ(gib(12), "12");
  EXPECT_EQ(gib(9.83), "9.8");
  EXPECT_EQ(gib(0), "0");
  EXPECT_EQ(percent(0.381), "38.1%");
  EXPECT_EQ(duration(0), "0s");
  EXPECT_EQ(duration(59.4), "59s");
  EXPECT_EQ(duration(59.6), "1m00s");
  EXPECT_EQ(duration(725), "12m05s");
  EXPECT_EQ(duration(3599.7), "1h00m");
  EXPECT_EQ(duration(3725), "1h02m");
  EXPECT_EQ(duration(86400 * 3 + 4 * 3600), "3d04h");
  EXPECT_EQ(duration(-1), "--");
  EXPECT_EQ(duration(kInf), "--");
  EXPECT_EQ(duration(std::nan("")), "--");
}

}  // namespace
}  // namespace pretrain
