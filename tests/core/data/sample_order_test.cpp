#include "core/data/sample_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/error.h"

namespace pretrain {
namespace {

std::vector<std::uint64_t> epoch_of(const SampleOrder& order, std::uint64_t epoch) {
  std::vector<std::uint64_t> rows(order.rows());
  for (std::uint64_t i = 0; i < rows.size(); ++i) rows[i] = order.row(epoch * rows.size() + i);
  return rows;
}

bool is_permutation(const std::vector<std::uint64_t>& rows) {
  std::vector<bool> seen(rows.size(), false);
  for (const std::uint64_t row : rows) {
    if (row >= rows.size() || seen[row]) return false;
    seen[row] = true;
  }
  return true;
}

TEST(SampleOrder, EveryEpochVisitsEveryRowOnce) {
  for (std::uint64_t rows = 1; rows <= 2000; ++rows) {
    const SampleOrder order(rows * 7, rows, true);
    ASSERT_TRUE(is_permutation(epoch_of(order, rows % 5))) << rows;
  }
  for (const std::uint64_t rows : {65535u, 65536u, 65537u, 99991u, 262143u, 262145u}) {
    ASSERT_TRUE(is_permutation(epoch_of(SampleOrder(1, rows, true), 1))) << rows;
  }
}

TEST(SampleOrder, HugeSizesStayInRangeAndDistinct) {
  for (const std::uint64_t rows :
       {(std::uint64_t{1} << 32) + 1, (std::uint64_t{1} << 40) - 87, std::uint64_t{1} << 62,
        (std::uint64_t{1} << 62) + 1, UINT64_MAX}) {
    const SampleOrder order(5, rows, true);
    std::vector<std::uint64_t> drawn;
    for (std::uint64_t i = 0; i < 3000; ++i) drawn.push_back(order.row(i));
    for (std::uint64_t i = 1; i <= 1000; ++i) drawn.push_back(order.row(rows - i));
    for (const std::uint64_t row : drawn) ASSERT_LT(row, rows);
    std::sort(drawn.begin(), drawn.end());
    EXPECT_EQ(std::adjacent_find(drawn.begin(), drawn.end()), drawn.end()) << rows;
  }
}

TEST(SampleOrder, EpochsAndSeedsDiffer) {
  const SampleOrder order(1, 1000, true);
  const SampleOrder other(2, 1000, true);
  const SampleOrder far(1 + (std::uint64_t{1} << 32), 1000, true);
  const auto first = epoch_of(order, 0);
  const auto agreeing = [&](const std::vector<std::uint64_t>& rows) {
    int count = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) count += rows[i] == first[i] ? 1 : 0;
    return count;
  };
  // Independent permutations agree in 1 position on average (Poisson).
  EXPECT_LT(agreeing(epoch_of(order, 1)), 8);
  EXPECT_LT(agreeing(epoch_of(other, 0)), 8);
  EXPECT_LT(agreeing(epoch_of(far, 0)), 8);
  EXPECT_EQ(epoch_of(SampleOrder(1, 1000, true), 0), first);  // stateless
  EXPECT_EQ(order.epoch(999), 0u);
  EXPECT_EQ(order.epoch(1000), 1u);
}

TEST(SampleOrder, WithoutShuffleIsTheIdentity) {
  const SampleOrder order(1, 7, false);
  for (std::uint64_t i = 0; i < 30; ++i) EXPECT_EQ(order.row(i), i % 7);
  EXPECT_THROW(SampleOrder(1, 0, true), Error);
}

TEST(SampleOrder, PlaceIsTheInverse) {
  for (const std::uint64_t group : {1u, 4u, 64u}) {
    for (const std::uint64_t rows : {1u, 2u, 5u, 63u, 64u, 65u, 1000u, 4097u}) {
      const SampleOrder order(3, rows, true, 2, group);
      ASSERT_TRUE(is_permutation(epoch_of(order, 2))) << rows << " by " << group;
      for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
        for (std::uint64_t i = 0; i < rows; ++i) {
          ASSERT_EQ(order.place(order.row(epoch * rows + i), epoch), i) << rows << " by " << group;
        }
      }
    }
  }
}

TEST(SampleOrder, NeighboursOfAGroupFollowOneAnother) {
  const SampleOrder order(3, 1003, true, 0, 8);
  EXPECT_TRUE(is_permutation(epoch_of(order, 1)));
  for (std::uint64_t row = 1; row < 1003; ++row) {
    if (row % 8 > 0) {
      ASSERT_EQ(order.place(row, 0), order.place(row - 1, 0) + 1);
    }
  }
}

// Counts of the places, in eight parts of an epoch, where `row` comes in 800 epochs.
std::vector<double> places_of(const SampleOrder& order, std::uint64_t row) {
  std::vector<double> counts(8, 0);
  for (std::uint64_t epoch = 0; epoch < 800; ++epoch) {
    ++counts[order.place(row, epoch) * 8 / order.rows()];
  }
  return counts;
}

TEST(SampleOrder, FewGroupsAreShuffledToo) {
  for (const std::uint64_t rows : {16u, 63u, 64u, 100u, 127u, 128u, 1000u, 1087u}) {
    const SampleOrder order(4, rows, true, 0, 64);
    EXPECT_TRUE(is_permutation(epoch_of(order, 0))) << rows;
    EXPECT_NE(epoch_of(order, 0), epoch_of(order, 1)) << rows;
    for (const std::uint64_t row : {std::uint64_t{0}, rows / 2, rows - 1}) {
      for (const double count : places_of(order, row)) {
        // Groups do not end where the parts do; standard deviation below 10.
        EXPECT_NEAR(count, 100, 60) << rows << " row " << row;
      }
    }
  }
}

TEST(SampleOrder, StreamsDiffer) {
  const auto first = epoch_of(SampleOrder(1, 1000, true, 0), 0);
  const auto second = epoch_of(SampleOrder(1, 1000, true, 1), 0);
  int same = 0;
  for (std::size_t i = 0; i < first.size(); ++i) same += first[i] == second[i] ? 1 : 0;
  EXPECT_LT(same, 8);
}

// Pearson's chi-square against uniform counts, less its expectation, in standard deviations.
double excess(const std::vector<double>& counts, double expected, double freedom) {
  double chi2 = 0;
  for (const double count : counts) chi2 += (count - expected) * (count - expected) / expected;
  return (chi2 - freedom) / std::sqrt(2 * freedom);
}

TEST(SampleOrder, EveryRowComesToEveryPositionEquallyOften) {
  for (const std::uint64_t rows : {2u, 3u, 4u, 5u, 8u, 13u, 16u, 17u, 40u, 64u}) {
    // Enough epochs to see a bias of 1 %; smaller networks than ours fail here.
    const std::uint64_t epochs = 200000 / rows;
    const double n = static_cast<double>(rows);
    std::vector<double> counts(rows * rows, 0);
    const SampleOrder order(9, rows, true);
    for (std::uint64_t i = 0; i < epochs * rows; ++i) ++counts[(i % rows) * rows + order.row(i)];
    // Sums over rows and columns are fixed: (n - 1)^2 degrees of freedom, and each count deviates
    // as if there were n / (n - 1) times as many epochs.
    const double expected = static_cast<double>(epochs) / n;
    std::vector<double> scaled;
    for (const double count : counts) {
      scaled.push_back(expected + (count - expected) * std::sqrt((n - 1) / n));
    }
    EXPECT_LT(excess(scaled, expected, (n - 1) * (n - 1)), 4) << rows;
  }
}

TEST(SampleOrder, AllOrdersOfFewRowsAreEquallyLikely) {
  const SampleOrder order(10, 4, true);
  std::vector<double> counts(256, 0);
  for (std::uint64_t epoch = 0; epoch < 24 * 400; ++epoch) {
    std::size_t code = 0;
    for (const std::uint64_t row : epoch_of(order, epoch)) code = code * 4 + row;
    ++counts[code];
  }
  std::vector<double> seen;
  for (const double count : counts) {
    if (count > 0) seen.push_back(count);
  }
  ASSERT_EQ(seen.size(), 24u);
  EXPECT_LT(excess(seen, 400, 23), 4);
}

TEST(SampleOrder, NeighboursAreNotCorrelated) {
  for (const std::uint64_t rows : {1000u, 4096u, 65537u, 100000u}) {
    const auto order = epoch_of(SampleOrder(11, rows, true), 2);
    const double mean = static_cast<double>(rows - 1) / 2;
    const double n = static_cast<double>(rows);
    const double variance = (n * n - 1) / 12;
    for (const std::size_t lag : {1u, 2u, 8u, 64u}) {
      double sum = 0;
      for (std::size_t i = 0; i + lag < order.size(); ++i) {
        sum +=
            (static_cast<double>(order[i]) - mean) * (static_cast<double>(order[i + lag]) - mean);
      }
      // Standard deviation of the coefficient of a random permutation: 1 / sqrt(n).
      EXPECT_LT(std::abs(sum / variance / std::sqrt(n)), 4) << rows << " lag " << lag;
    }
    // Position and row: no drift from the start to the end of an epoch.
    double drift = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      drift += (static_cast<double>(i) - mean) * (static_cast<double>(order[i]) - mean);
    }
    EXPECT_LT(std::abs(drift / variance / std::sqrt(n)), 4) << rows;
    // Steps between neighbours (modulo rows) fall evenly into 100 bins.
    std::vector<double> steps(100, 0);
    for (std::size_t i = 1; i < order.size(); ++i) {
      ++steps[(order[i] + rows - order[i - 1]) % rows * 100 / rows];
    }
    EXPECT_LT(excess(steps, (n - 1) / 100, 99), 4) << rows;
  }
}

TEST(SampleOrder, IsAnAgreedFunction) {
  // A change of these numbers breaks the resuming of every run.
  const SampleOrder order(1, 1000, true);
  const std::vector<std::uint64_t> first = {order.row(0), order.row(1), order.row(2),
                                            order.row(999), order.row(1000)};
  EXPECT_EQ(first, (std::vector<std::uint64_t>{947, 250, 353, 856, 609}));
}

}  // namespace
}  // namespace pretrain
