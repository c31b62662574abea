#include "core/data/corpus/inspect/length_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/random.h"

namespace pretrain {
namespace {

TEST(LengthHistogram, PercentilesAreThoseOfTheSortedLengths) {
  LengthHistogram histogram;
  std::vector<std::uint64_t> lengths;
  RandomStream random(1, RandomPurpose::kSplit, 0);
  for (int i = 0; i < 20000; ++i) {
    lengths.push_back(random.below(std::uint64_t{1} << 63) >> random.below(60));
    histogram.add(lengths.back());
  }
  std::sort(lengths.begin(), lengths.end());
  EXPECT_EQ(histogram.shortest(), lengths.front());
  EXPECT_EQ(histogram.longest(), lengths.back());
  for (const double share : {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0}) {
    const auto rank = static_cast<std::size_t>(share * 20000) - 1;
    const std::uint64_t got = histogram.percentile(share);
    EXPECT_LE(got, lengths[rank]) << share;
    EXPECT_GE(static_cast<double>(got), static_cast<double>(lengths[rank]) * 0.9995) << share;
    EXPECT_TRUE(lengths[rank] >= 4096 || got == lengths[rank]) << share;
  }
  std::uint64_t sum = 0;
  for (const auto& bin : histogram.bins()) {
    const auto inside = std::count_if(lengths.begin(), lengths.end(), [&](std::uint64_t length) {
      return length >= bin.begin && length - bin.begin < bin.end - bin.begin;
    });
    EXPECT_EQ(bin.count, static_cast<std::uint64_t>(inside)) << bin.begin;
    sum += bin.count;
  }
  EXPECT_EQ(sum, 20000u);
}

TEST(LengthHistogram, BarsAreAsLongAsTheirCounts) {
  LengthHistogram histogram;
  EXPECT_EQ(histogram.to_text(4), "");
  EXPECT_EQ(histogram.percentile(0.5), 0u);
  for (int i = 0; i < 8; ++i) histogram.add(2);
  histogram.add(5);
  histogram.add(0);
  EXPECT_EQ(histogram.to_text(2),
            "           0 - 0                      1  ▎\n"
            "           1 - 1                      0  \n"
            "           2 - 3                      8  ██\n"
            "           4 - 7                      1  ▎\n");
}

TEST(LengthHistogram, TheLongestLengthThereIs) {
  LengthHistogram histogram;
  histogram.add(UINT64_MAX);
  EXPECT_EQ(histogram.longest(), UINT64_MAX);
  EXPECT_GE(histogram.percentile(1), UINT64_MAX - (UINT64_MAX >> 11));
  EXPECT_EQ(histogram.bins().size(), 1u);
}

}  // namespace
}  // namespace pretrain
