#include "core/data/mixture/mixing_rates.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/data/mixture/proportional_deal.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

const std::vector<SourceSize> kSizes{{1000, 100000}, {10, 1000}, {500, 25000}};

// Tokens a source gets of all: its samples times what a row of it holds.
std::vector<double> token_shares(const std::vector<SourceSize>& sizes,
                                 const std::vector<std::uint64_t>& weights) {
  std::vector<double> shares;
  double sum = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    shares.push_back(static_cast<double>(weights[i]) * static_cast<double>(sizes[i].tokens) /
                     static_cast<double>(sizes[i].rows));
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return shares;
}

TEST(MixingRates, WeightsCountTokensNotRows) {
  const auto shares = token_shares(kSizes, deal_weights(kSizes, {3, 1, 4}));
  EXPECT_NEAR(shares[0], 0.375, 1e-8);
  EXPECT_NEAR(shares[1], 0.125, 1e-8);
  EXPECT_NEAR(shares[2], 0.5, 1e-8);
}

TEST(MixingRates, OnlyRatiosOfWeightsMatter) {
  EXPECT_EQ(deal_weights(kSizes, {1, 1, 2}), deal_weights(kSizes, {10, 10, 20}));
  EXPECT_EQ(deal_weights(kSizes, {1e-9, 1e-9, 2e-9}), deal_weights(kSizes, {1, 1, 2}));
}

TEST(MixingRates, EveryWeightAboveZeroGetsSomething) {
  const auto weights = deal_weights(kSizes, {1, 1e-15, 0});
  EXPECT_EQ(weights[1], 1u);
  EXPECT_EQ(weights[2], 0u);
}

TEST(MixingRates, ByNatureAllSourcesEndTheirEpochsTogether) {
  EXPECT_EQ(deal_weights(kSizes, {true, true, true}, {}),
            (std::vector<std::uint64_t>{1000, 10, 500}));
  EXPECT_EQ(deal_weights(kSizes, {true, false, true}, {.cap = 1e9}),
            (std::vector<std::uint64_t>{1000, 0, 500}));
}

TEST(MixingRates, CapAndTemperatureAreThoseOfT5) {
  const auto capped =
      token_shares(kSizes, deal_weights(kSizes, {true, true, true}, {.cap = 20000}));
  EXPECT_NEAR(capped[0], 20000.0 / 41000, 1e-8);
  EXPECT_NEAR(capped[1], 1000.0 / 41000, 1e-8);
  EXPECT_NEAR(capped[2], 20000.0 / 41000, 1e-8);
  const auto warm = token_shares(
      kSizes, deal_weights(kSizes, {true, true, true}, {.temperature = 2, .cap = 90000}));
  const double sum = std::sqrt(90000.0) + std::sqrt(1000.0) + std::sqrt(25000.0);
  EXPECT_NEAR(warm[0], std::sqrt(90000.0) / sum, 1e-8);
  EXPECT_NEAR(warm[1], std::sqrt(1000.0) / sum, 1e-8);
}

TEST(MixingRates, NumbersThatAreNoWeightsAreRefused) {
  for (const double bad : {-1.0, std::nan(""), HUGE_VAL}) {
    testing::expect_error(ExitCode::kInternal, "source 1 weighs", [&] {
      deal_weights(kSizes, {1, bad, 1});
    });
  }
}

}  // namespace
}  // namespace pretrain
