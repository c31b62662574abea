#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace pretrain::testing {

/// Expects the mean of `count` independent draws with this mean and variance within 3 sigma.
inline void expect_mean(double sum, std::int64_t count, double mean, double variance,
                        const std::string& what = "") {
  ASSERT_GT(count, 0) << what;
  const double sigma = std::sqrt(variance / static_cast<double>(count));
  EXPECT_NEAR(sum / static_cast<double>(count), mean, 3 * sigma + 1e-12) << what;
}

/// Expects `hits` of `trials` that each hit with probability `p` within 3 sigma.
inline void expect_share(std::int64_t hits, std::int64_t trials, double p,
                         const std::string& what = "") {
  expect_mean(static_cast<double>(hits), trials, p, p * (1 - p), what);
}

/// Expects counts of outcomes to fit their probabilities: chi-square below its quantile of 3 sigma
/// (Wilson and Hilferty 1931). `scale` corrects the statistic where draws are not independent.
inline void expect_distribution(const std::vector<std::int64_t>& counts,
                                const std::vector<double>& probabilities,
                                const std::string& what = "", double scale = 1) {
  ASSERT_EQ(counts.size(), probabilities.size()) << what;
  std::int64_t total = 0;
  for (const std::int64_t count : counts) total += count;
  double chi_square = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = probabilities[i] * static_cast<double>(total);
    ASSERT_GT(expected, 5) << what << ": too few draws for outcome " << i;
    const double off = static_cast<double>(counts[i]) - expected;
    chi_square += off * off / expected;
  }
  const auto freedom = static_cast<double>(counts.size() - 1);
  const double spread = 2 / (9 * freedom);
  const double largest = freedom * std::pow(1 - spread + 3 * std::sqrt(spread), 3);
  EXPECT_LT(chi_square * scale, largest) << what;
}

/// The same for outcomes that are equally likely.
inline void expect_uniform(const std::vector<std::int64_t>& counts, const std::string& what = "",
                           double scale = 1) {
  const double share = 1 / static_cast<double>(counts.size());
  expect_distribution(counts, std::vector<double>(counts.size(), share), what, scale);
}

}  // namespace pretrain::testing
