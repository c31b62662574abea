#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pretrain {

/// What a random draw is for. Part of its address, so that purposes never share numbers.
enum class RandomPurpose : std::uint32_t {
  kInitialization = 1,
  kSampleOrder = 2,
  kSplit = 3,
  kGeneration = 4,
  kObjective = 5,
  kTest = 6,
  kDropout = 7,
  kOtherRow = 8,
};

/// Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011):
/// a keyed bijection of 128-bit counters. Pure. Inline so that loops over counters vectorise.
inline std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                               std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {
        static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// The stream of random numbers at the address (seed, purpose, id). Two streams with different
/// addresses are independent; the same address always gives the same numbers, on any rank and
/// thread. Cheap to create. Not thread-safe.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint64_t id);

  std::uint32_t next_u32() {
    if (used_ == words_.size()) refill();
    return words_[used_++];
  }
  /// The next two words, the lower one first.
  std::uint64_t next_u64() {
    const std::uint64_t low = next_u32();
    return low | (std::uint64_t{next_u32()} << 32);
  }
  /// Uniform in [0, 1) with 53 random bits.
  double uniform() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }
  /// Uniform in [0, n), without bias. n > 0.
  std::uint64_t below(std::uint64_t n) {
    std::uint64_t draw = next_u64();
    // Rejects the incomplete last multiple of n: at most half of all draws, usually none. It is
    // shorter than n, so that most draws need no second division.
    while (draw > UINT64_MAX - n && draw >= n * (UINT64_MAX / n)) draw = next_u64();
    return draw % n;
  }
  /// Standard normal (Box-Muller).
  double normal();

 private:
  // Several blocks at once: they do not depend on each other and take hardly longer than one.
  static constexpr std::uint32_t kBlocks = 8;

  void refill();

  std::array<std::uint32_t, 2> key_;
  std::uint64_t id_;
  std::uint32_t block_ = 0;  // the first that was not drawn yet
  std::array<std::uint32_t, 4 * kBlocks> words_;
  std::size_t used_ = words_.size();
};

}  // namespace pretrain
