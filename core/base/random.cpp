#include "core/base/random.h"

#include <cmath>
#include <numbers>

namespace pretrain {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
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

RandomStream::RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint64_t id) : id_(id) {
  // The purpose is mixed into the key by the same bijection, so that seeds differing by a purpose
  // number do not collide.
  const auto mixed =
      philox4x32({static_cast<std::uint32_t>(purpose), 0, 0, 0},
                 {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  key_ = {mixed[0], mixed[1]};
}

std::uint32_t RandomStream::next_u32() {
  if (used_ == 4) {
    words_ = philox4x32(
        {static_cast<std::uint32_t>(id_), static_cast<std::uint32_t>(id_ >> 32), block_++, 0},
        key_);
    used_ = 0;
  }
  return words_[used_++];
}

std::uint64_t RandomStream::next_u64() {
  const std::uint64_t low = next_u32();
  return low | (std::uint64_t{next_u32()} << 32);
}

double RandomStream::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }

std::uint64_t RandomStream::below(std::uint64_t n) {
  // Rejects the incomplete last multiple of n: at most half of all draws, usually none.
  const std::uint64_t limit = n * (UINT64_MAX / n);
  std::uint64_t draw = next_u64();
  while (draw >= limit) draw = next_u64();
  return draw % n;
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace pretrain
