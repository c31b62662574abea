#include "core/data/mixture/proportional_deal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/base/random.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

const std::vector<std::vector<std::uint64_t>> kWeights{
    {1}, {1, 1}, {3, 1}, {1, 0, 2}, {0, 0, 5, 0}, {7, 1, 1, 1, 90}, {5, 3, 11, 2, 2, 40, 1, 9},
};

TEST(ProportionalDeal, ASourceGetsItsTurnsInOrderAndEachExactlyItsWeight) {
  for (const auto& weights : kWeights) {
    const ProportionalDeal deal(weights);
    const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
    std::vector<std::uint64_t> seen(weights.size(), 0);
    for (std::uint64_t turn = 0; turn < 3 * sum; ++turn) {
      ASSERT_EQ(deal.counts(turn), seen);
      const auto [source, index] = deal.at(turn);
      ASSERT_EQ(index, seen[source]) << turn;
      ++seen[source];
    }
    for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_EQ(seen[i], 3 * weights[i]);
  }
}

TEST(ProportionalDeal, NoSourceIsEverFarFromItsShare) {
  for (const auto& weights : kWeights) {
    const ProportionalDeal deal(weights);
    const double depth = std::ceil(std::log2(static_cast<double>(weights.size())));
    for (std::uint64_t turns = 0; turns < 2000; ++turns) {
      const auto counts = deal.counts(turns);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const double expected = deal.share(i) * static_cast<double>(turns);
        ASSERT_LE(std::abs(static_cast<double>(counts[i]) - expected), depth / 2 + 1e-9);
      }
    }
  }
}

TEST(ProportionalDeal, HugeWeightsAndTurnsAreExact) {
  const std::uint64_t third = (std::uint64_t{1} << 63) / 3;
  const ProportionalDeal deal({third, third - 50, 17, third});
  RandomStream random(1, RandomPurpose::kTest, 0);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t turn = random.below(UINT64_MAX - 1);
    auto before = deal.counts(turn);
    const auto [source, index] = deal.at(turn);
    ASSERT_EQ(index, before[source]);
    ++before[source];
    ASSERT_EQ(deal.counts(turn + 1), before);
    ASSERT_EQ(std::accumulate(before.begin(), before.end(), std::uint64_t{0}), turn + 1);
  }
}

TEST(ProportionalDeal, WeightsThatCannotBeAreRefused) {
  testing::expect_error(ExitCode::kInternal, "weigh 0", [] { ProportionalDeal({0, 0}); });
  testing::expect_error(ExitCode::kInternal, "weigh 0", [] { ProportionalDeal({}); });
  testing::expect_error(ExitCode::kInternal, "2^63", [] {
    ProportionalDeal({std::uint64_t{1} << 63, 1});
  });
  testing::expect_error(ExitCode::kInternal, "2^63", [] {
    ProportionalDeal({UINT64_MAX, UINT64_MAX});
  });
}

}  // namespace
}  // namespace pretrain
