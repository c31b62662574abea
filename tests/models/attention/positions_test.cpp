#include "models/attention/positions.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace pretrain {
namespace {

// T5's formula in double precision for a distance r = key - query.
std::int64_t bucket_of(std::int64_t r, bool both_ways, std::int64_t buckets, double distance) {
  std::int64_t base = 0;
  std::int64_t n = std::max<std::int64_t>(0, -r);
  if (both_ways) {
    buckets /= 2;
    base = r > 0 ? buckets : 0;
    n = std::abs(r);
  }
  const std::int64_t exact = buckets / 2;
  if (n < exact) return base + n;
  const auto start = static_cast<double>(exact);
  const double share = std::log(static_cast<double>(n) / start) / std::log(distance / start);
  // A power of two lands on an integer, up to rounding.
  const auto step = static_cast<std::int64_t>(share * static_cast<double>(buckets - exact) + 1e-9);
  return base + std::min(buckets - 1, exact + step);
}

TEST(Positions, RelativeBucketsAreT5s) {
  constexpr std::int64_t kQuery = 300, kKeys = 601;
  const at::Tensor both = relative_buckets(1, kKeys, kQuery, true, 32, 128);
  const at::Tensor past = relative_buckets(1, kKeys, kQuery, false, 32, 128);
  const auto at_distance = [&](const at::Tensor& table, std::int64_t r) {
    return table[0][kQuery + r].item<std::int64_t>();
  };
  // By hand. Both ways: 8 exact, then log(n / 8) / log(16) of 8.
  for (const auto& [n, bucket] : std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0},
                                                                                    {1, 1},
                                                                                    {7, 7},
                                                                                    {8, 8},
                                                                                    {11, 8},
                                                                                    {12, 9},
                                                                                    {15, 9},
                                                                                    {16, 10},
                                                                                    {22, 10},
                                                                                    {23, 11},
                                                                                    {32, 12},
                                                                                    {64, 14},
                                                                                    {90, 14},
                                                                                    {91, 15},
                                                                                    {127, 15},
                                                                                    {128, 15},
                                                                                    {300, 15}}) {
    EXPECT_EQ(at_distance(both, -n), bucket) << "back " << n;
    EXPECT_EQ(at_distance(both, n), n == 0 ? 0 : bucket + 16) << "ahead " << n;
  }
  // The past only: 16 exact, then log(n / 16) / log(8) of 16; what lies ahead is 0.
  for (const auto& [n, bucket] : std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0},
                                                                                    {7, 7},
                                                                                    {15, 15},
                                                                                    {16, 16},
                                                                                    {18, 16},
                                                                                    {19, 17},
                                                                                    {32, 21},
                                                                                    {64, 26},
                                                                                    {99, 30},
                                                                                    {112, 30},
                                                                                    {113, 31},
                                                                                    {127, 31},
                                                                                    {300, 31}}) {
    EXPECT_EQ(at_distance(past, -n), bucket) << "back " << n;
    EXPECT_EQ(at_distance(past, n), 0) << "ahead " << n;
  }
  for (std::int64_t r = -300; r <= 300; ++r) {
    ASSERT_EQ(at_distance(both, r), bucket_of(r, true, 32, 128)) << r;
    ASSERT_EQ(at_distance(past, r), bucket_of(r, false, 32, 128)) << r;
  }
}

TEST(Positions, RelativeBucketsDependOnTheDistanceAlone) {
  const at::Tensor whole = relative_buckets(40, 40, 0, true, 32, 128);
  for (std::int64_t q = 0; q < 40; ++q) {
    for (std::int64_t k = 0; k < 40; ++k) {
      ASSERT_EQ(whole[q][k].item<std::int64_t>(), bucket_of(k - q, true, 32, 128));
    }
  }
  EXPECT_TRUE(at::equal(relative_buckets(8, 40, 32, true, 32, 128), whole.narrow(0, 32, 8)));
}

TEST(Positions, AlibiSlopes) {
  const auto powers = [](const std::vector<double>& exponents) {
    std::vector<float> slopes;
    for (const double e : exponents) slopes.push_back(static_cast<float>(std::exp2(-e)));
    return slopes;
  };
  EXPECT_EQ(alibi_slopes(1), powers({8}));
  EXPECT_EQ(alibi_slopes(8), powers({1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(alibi_slopes(12), powers({1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5}));
}

TEST(Positions, SinusoidalTable) {
  const at::Tensor table = sinusoidal_table(100, 16, {});
  EXPECT_EQ(table.sizes(), (std::vector<std::int64_t>{100, 16}));
  for (const std::int64_t p : {0, 1, 7, 99}) {
    for (std::int64_t i = 0; i < 8; ++i) {
      const double angle =
          static_cast<double>(p) / std::pow(10000.0, 2.0 * static_cast<double>(i) / 16);
      EXPECT_NEAR(table[p][2 * i].item<double>(), std::sin(angle), 1e-6) << p << " " << i;
      EXPECT_NEAR(table[p][2 * i + 1].item<double>(), std::cos(angle), 1e-6) << p << " " << i;
    }
  }
}

TEST(Positions, RotaryTurnsPairs) {
  const RotaryTable table = rotary_table(64, 8, 1e4, {});
  at::manual_seed(2);
  const at::Tensor x = at::randn({3, 2, 8});
  const at::Tensor turned =
      rotate(x, at::tensor({std::int64_t{0}, std::int64_t{5}, std::int64_t{63}}), table);
  EXPECT_TRUE(at::equal(turned[0], x[0]));
  for (const auto& [row, p] : {std::pair{1, 5.0}, {2, 63.0}}) {
    for (std::int64_t i = 0; i < 4; ++i) {
      const double angle = p * std::pow(1e4, -2.0 * static_cast<double>(i) / 8);
      const double a = x[row][1][i].item<double>(), b = x[row][1][i + 4].item<double>();
      EXPECT_NEAR(turned[row][1][i].item<double>(), a * std::cos(angle) - b * std::sin(angle),
                  1e-5);
      EXPECT_NEAR(turned[row][1][i + 4].item<double>(), b * std::cos(angle) + a * std::sin(angle),
                  1e-5);
    }
  }
}

TEST(Positions, RotaryProductsDependOnTheDistanceAlone) {
  constexpr std::int64_t kPositions = 256, kWidth = 32;
  const RotaryTable table = rotary_table(kPositions, kWidth, 1e4, {});
  at::manual_seed(2);
  const at::Tensor q = at::randn({1, 1, kWidth}).expand({kPositions, 1, kWidth});
  const at::Tensor k = at::randn({1, 1, kWidth}).expand({kPositions, 1, kWidth});
  const at::Tensor positions = at::arange(kPositions);
  const at::Tensor products = at::matmul(rotate(q, positions, table).squeeze(1),
                                         rotate(k, positions, table).squeeze(1).t());
  for (const std::int64_t distance : {-200, -17, -1, 0, 1, 5, 100}) {
    const at::Tensor same = products.diagonal(distance);
    EXPECT_LT((same.max() - same.min()).item<double>(), 1e-4) << distance;
  }
  EXPECT_GT((products.diagonal(5).mean() - products.diagonal(6).mean()).abs().item<double>(), 1e-2);
}

TEST(Positions, CountFromTheStartOfEachSequence) {
  EXPECT_TRUE(at::equal(position_ids({3, 1, 2}, 0, at::kCPU), at::tensor({0, 1, 2, 0, 0, 1})));
  EXPECT_TRUE(at::equal(position_ids({2}, 7, at::kCPU), at::tensor({7, 8})));
}

}  // namespace
}  // namespace pretrain
