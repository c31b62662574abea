#pragma once

#include <array>
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
/// a keyed bijection of 128-bit counters. Pure.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// The stream of random numbers at the address (seed, purpose, id). Two streams with different
/// addresses are independent; the same address always gives the same numbers, on any rank and
/// thread. Cheap to create. Not thread-safe.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint64_t id);

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  /// Uniform in [0, 1) with 53 random bits.
  double uniform();
  /// Uniform in [0, n), without bias. n > 0.
  std::uint64_t below(std::uint64_t n);
  /// Standard normal (Box-Muller).
  double normal();

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t id_;
  std::uint32_t block_ = 0;
  unsigned used_ = 4;
  std::array<std::uint32_t, 4> words_{};
};

}  // namespace pretrain
