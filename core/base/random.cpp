#include "core/base/random.h"

#include <cmath>
#include <numbers>

namespace pretrain {

RandomStream::RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint64_t id) : id_(id) {
  // The purpose is mixed into the key by the same bijection, so that seeds differing by a purpose
  // number do not collide.
  const auto mixed =
      philox4x32({static_cast<std::uint32_t>(purpose), 0, 0, 0},
                 {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  key_ = {mixed[0], mixed[1]};
}

void RandomStream::refill() {
  // Copies: what might be a word written to words_ keeps the loop from being vectorised.
  const std::array<std::uint32_t, 2> key = key_;
  const std::uint64_t id = id_;
  const std::uint32_t first = block_;
#pragma omp simd
  for (std::uint32_t i = 0; i < kBlocks; ++i) {
    const auto block = philox4x32(
        {static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id >> 32), first + i, 0}, key);
    for (std::uint32_t word = 0; word < 4; ++word) words_[4 * i + word] = block[word];
  }
  block_ += kBlocks;
  used_ = 0;
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace pretrain
