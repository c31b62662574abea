#include "core/base/random.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/testing/statistics.h"

namespace pretrain {
namespace {

using Words = std::array<std::uint32_t, 4>;

constexpr std::uint64_t kSeed = 0x123456789ABCDEF0;
constexpr std::uint64_t kId = 0xFEDCBA9876543210;

// The stream by its definition: the words of one block after another.
class PlainStream {
 public:
  std::uint32_t next_u32() {
    const Words key = philox4x32({static_cast<std::uint32_t>(RandomPurpose::kTest), 0, 0, 0},
                                 {0x9ABCDEF0, 0x12345678});
    const std::uint32_t word = drawn_++;
    return philox4x32({0x76543210, 0xFEDCBA98, word / 4, 0}, {key[0], key[1]})[word % 4];
  }
  std::uint64_t next_u64() {
    const std::uint64_t low = next_u32();
    return low + (std::uint64_t{next_u32()} << 32);
  }
  double uniform() { return static_cast<double>(next_u64() >> 11) / 9007199254740992.0; }
  std::uint64_t below(std::uint64_t n) {
    std::uint64_t draw = next_u64();
    while (draw / n == UINT64_MAX / n) draw = next_u64();
    return draw % n;
  }

 private:
  std::uint32_t drawn_ = 0;
};

// Of the authors' library, Random123: kat_vectors.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}));
  constexpr std::uint32_t kOnes = 0xFFFFFFFF;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}));
  EXPECT_EQ(philox4x32({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}),
            (Words{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}));
}

TEST(RandomStream, GivesBlockAfterBlock) {
  RandomStream stream(kSeed, RandomPurpose::kTest, kId);
  PlainStream plain;
  for (int i = 0; i < 10000; ++i) ASSERT_EQ(stream.next_u32(), plain.next_u32()) << i;
}

TEST(RandomStream, TakesWordsInTurnForDrawsOfAnyKind) {
  RandomStream stream(kSeed, RandomPurpose::kTest, kId);
  PlainStream plain;
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(stream.next_u64(), plain.next_u64()) << i;
    ASSERT_EQ(stream.next_u32(), plain.next_u32()) << i;
    ASSERT_EQ(stream.uniform(), plain.uniform()) << i;
    ASSERT_EQ(stream.below(1000), plain.below(1000)) << i;
  }
}

// From half of all draws rejected to none.
TEST(RandomStream, BelowRejectsTheLastMultipleCutShort) {
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  for (const std::uint64_t n :
       {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1} << 32, kHalf - 1,
        kHalf, kHalf + 1, UINT64_MAX / 3 * 2, UINT64_MAX - 1, UINT64_MAX}) {
    RandomStream stream(kSeed, RandomPurpose::kTest, kId);
    PlainStream plain;
    for (int i = 0; i < 1000; ++i) {
      const std::uint64_t draw = stream.below(n);
      ASSERT_LT(draw, n);
      ASSERT_EQ(draw, plain.below(n)) << n << ", draw " << i;
    }
    EXPECT_EQ(stream.next_u32(), plain.next_u32()) << n << ": as many draws";
  }
}

TEST(RandomStream, EachPartOfTheAddressMatters) {
  const auto first = [](std::uint64_t seed, RandomPurpose purpose, std::uint64_t id) {
    return RandomStream(seed, purpose, id).next_u64();
  };
  const std::uint64_t draw = first(kSeed, RandomPurpose::kTest, kId);
  EXPECT_EQ(first(kSeed, RandomPurpose::kTest, kId), draw);
  for (const unsigned bit : {0u, 31u, 32u, 63u}) {
    const std::uint64_t flip = std::uint64_t{1} << bit;
    EXPECT_NE(first(kSeed ^ flip, RandomPurpose::kTest, kId), draw) << bit;
    EXPECT_NE(first(kSeed, RandomPurpose::kTest, kId ^ flip), draw) << bit;
  }
  EXPECT_NE(first(kSeed, RandomPurpose::kDropout, kId), draw);
}

TEST(RandomStream, NormalHasItsMoments) {
  constexpr std::int64_t kDraws = 1000000;
  RandomStream stream(kSeed, RandomPurpose::kTest, kId);
  double sum = 0, squares = 0, fourths = 0;
  for (std::int64_t i = 0; i < kDraws; ++i) {
    const double draw = stream.normal();
    sum += draw;
    squares += draw * draw;
    fourths += draw * draw * draw * draw;
  }
  testing::expect_mean(sum, kDraws, 0, 1, "draw");
  testing::expect_mean(squares, kDraws, 1, 2, "square");
  testing::expect_mean(fourths, kDraws, 3, 96, "fourth power");
}

}  // namespace
}  // namespace pretrain
