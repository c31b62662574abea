#include "parallel/host_reduction.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/random.h"

namespace pretrain {
namespace {

float reduce_two(float a, float b, ReduceOp op) {
  const std::array<const void*, 2> parts = {&a, &b};
  float result = 0;
  reduce_in_order(parts, &result, 1, DataType::kF32, op);
  return result;
}

TEST(HostReductionTest, AddsInTheOrderOfTheParts) {
  // In fp32, (big + 1) - big loses the one, (big - big) + 1 does not.
  const float big = 0x1p30f;
  const float minus_big = -big;
  const float one = 1;
  float result = -1;
  reduce_in_order(std::array<const void*, 3>{&big, &one, &minus_big}, &result, 1, DataType::kF32,
                  ReduceOp::kSum);
  EXPECT_EQ(result, 0.0f);
  reduce_in_order(std::array<const void*, 3>{&big, &minus_big, &one}, &result, 1, DataType::kF32,
                  ReduceOp::kSum);
  EXPECT_EQ(result, 1.0f);
}

TEST(HostReductionTest, TheOutputMayBeOneOfTheParts) {
  std::vector<double> a(5000, 1.0);
  std::vector<double> b(5000, 2.0);
  reduce_in_order(std::array<const void*, 2>{a.data(), b.data()}, b.data(), b.size(),
                  DataType::kF64, ReduceOp::kSum);
  EXPECT_EQ(b, std::vector<double>(5000, 3.0));
}

TEST(HostReductionTest, IntegerSumsWrap) {
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  const std::int64_t one = 1;
  std::int64_t result = 0;
  reduce_in_order(std::array<const void*, 2>{&largest, &one}, &result, 1, DataType::kI64,
                  ReduceOp::kSum);
  EXPECT_EQ(result, std::numeric_limits<std::int64_t>::min());
  const std::uint8_t bytes[2] = {200, 100};
  std::uint8_t sum = 0;
  reduce_in_order(std::array<const void*, 2>{&bytes[0], &bytes[1]}, &sum, 1, DataType::kU8,
                  ReduceOp::kSum);
  EXPECT_EQ(sum, 44);
}

TEST(HostReductionTest, NanWinsFromEitherSide) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin}) {
    EXPECT_TRUE(std::isnan(reduce_two(nan, 1, op)));
    EXPECT_TRUE(std::isnan(reduce_two(1, nan, op)));
  }
}

std::uint16_t upper_half(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

float from_upper_half(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

// The sum of one part is its rounding; the neighbours are the candidates.
TEST(HostReductionTest, BFloat16IsRoundedOnceToNearestEven) {
  RandomStream random(1, RandomPurpose::kTest, 0);
  for (int i = 0; i < 5000; ++i) {
    std::array<std::uint16_t, 3> parts{};
    float exact = 0;
    for (std::uint16_t& part : parts) {
      part = upper_half(static_cast<float>(random.normal()));
      exact += from_upper_half(part);
    }
    std::uint16_t result = 0;
    reduce_in_order(std::array<const void*, 3>{&parts[0], &parts[1], &parts[2]}, &result, 1,
                    DataType::kBF16, ReduceOp::kSum);
    const std::uint16_t below = upper_half(exact);  // towards zero
    const auto above = static_cast<std::uint16_t>(below + 1);
    const float down = std::abs(exact - from_upper_half(below));
    const float up = std::abs(from_upper_half(above) - exact);
    std::uint16_t expected = down < up ? below : above;
    if (down == up) expected = below % 2 == 0 ? below : above;
    EXPECT_EQ(result, expected) << exact;
  }
}

TEST(HostReductionTest, BFloat16KeepsNanAndInfinity) {
  const auto sum = [](std::uint16_t a, std::uint16_t b) {
    std::uint16_t result = 0;
    reduce_in_order(std::array<const void*, 2>{&a, &b}, &result, 1, DataType::kBF16,
                    ReduceOp::kSum);
    return from_upper_half(result);
  };
  EXPECT_TRUE(std::isnan(sum(0x7FFF, 0)));
  EXPECT_TRUE(std::isnan(sum(0x7F80, 0xFF80)));
  EXPECT_EQ(sum(0x7F7F, 0x7F7F), std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace pretrain
