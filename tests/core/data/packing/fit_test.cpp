#include "core/data/packing/fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/base/random.h"

namespace pretrain {
namespace {

constexpr std::uint32_t kCapacity = 100;

std::vector<std::uint32_t> random_sizes(std::uint64_t seed, std::size_t count) {
  RandomStream random(1, RandomPurpose::kTest, seed);
  std::vector<std::uint32_t> sizes;
  const std::uint64_t most = 1 + random.below(kCapacity);
  for (std::size_t i = 0; i < count; ++i) {
    sizes.push_back(static_cast<std::uint32_t>(random.below(most + 1)));
  }
  return sizes;
}

// What each row holds; every piece is in exactly one row, none is overfull, none is empty.
std::vector<std::uint64_t> filled(const std::vector<std::uint32_t>& sizes, const Fitted& fitted) {
  std::vector<std::uint64_t> rows(fitted.rows, 0);
  EXPECT_EQ(fitted.row_of.size(), sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) {
      EXPECT_EQ(fitted.row_of[i], Fitted::kNone);
      continue;
    }
    EXPECT_LT(fitted.row_of[i], fitted.rows);
    rows[fitted.row_of[i]] += sizes[i];
  }
  for (const std::uint64_t row : rows) {
    EXPECT_LE(row, kCapacity);
    EXPECT_GT(row, 0u);
  }
  return rows;
}

TEST(Fit, FirstFitTakesTheFirstRowWithRoom) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto sizes = random_sizes(seed, 1 + seed);
    const Fitted fitted = fit_first(sizes, kCapacity);
    filled(sizes, fitted);
    std::vector<std::uint32_t> room(sizes.size(), kCapacity);  // the definition, spelled out
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (sizes[i] == 0) continue;
      const auto row = std::find_if(room.begin(), room.end(),
                                    [&](std::uint32_t left) { return left >= sizes[i]; });
      ASSERT_EQ(fitted.row_of[i], row - room.begin()) << seed;
      *row -= sizes[i];
    }
  }
}

TEST(Fit, BestFitTakesTheFullestRowWithRoomLongestFirst) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto sizes = random_sizes(seed, 1 + seed);
    const Fitted fitted = fit_best(sizes, kCapacity);
    const auto rows = filled(sizes, fitted);
    const std::uint64_t sum = std::accumulate(rows.begin(), rows.end(), std::uint64_t{0});
    const auto fewest = static_cast<double>((sum + kCapacity - 1) / kCapacity);
    // 11/9 of the fewest rows there can be, plus 4 (Johnson 1974); those need at least `fewest`
    // only where sizes are small, so this is the case that is known.
    if (*std::max_element(sizes.begin(), sizes.end()) <= kCapacity / 4) {
      EXPECT_LE(static_cast<double>(rows.size()), 11.0 / 9 * fewest + 4) << seed;
    }
  }
  const std::vector<std::uint32_t> sizes{30, 60, 40, 70};
  EXPECT_EQ(fit_best(sizes, kCapacity).row_of, (std::vector<std::uint16_t>{0, 1, 1, 0}));
}

TEST(Fit, OneEachIsAscending) {
  const std::vector<std::uint32_t> sizes{30, 0, 60, 10, 30};
  const Fitted fitted = fit_one_each(sizes);
  EXPECT_EQ(fitted.rows, 4);
  std::vector<std::uint32_t> lengths(4);
  filled(sizes, fitted);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] > 0) lengths[fitted.row_of[i]] = sizes[i];
  }
  EXPECT_EQ(lengths, (std::vector<std::uint32_t>{10, 30, 30, 60}));
}

TEST(Fit, NothingAndFullPieces) {
  EXPECT_EQ(fit_first({}, kCapacity).rows, 0);
  EXPECT_EQ(fit_best({}, kCapacity).rows, 0);
  const std::vector<std::uint32_t> full(5, kCapacity);
  EXPECT_EQ(fit_first(full, kCapacity).rows, 5);
  EXPECT_EQ(fit_best(full, kCapacity).rows, 5);
}

}  // namespace
}  // namespace pretrain
