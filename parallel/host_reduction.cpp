#include "parallel/host_reduction.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

namespace pretrain {
namespace {

// Bits of a bfloat16: the upper half of an IEEE float.
enum class BFloat16 : std::uint16_t {};

template <class T>
T widen(T value) {
  return value;
}

float widen(BFloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

template <class Element, class T>
Element narrow(T value) {
  if constexpr (std::is_same_v<Element, BFloat16>) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    // Rounding up could carry a NaN's payload into the sign.
    if (value != value) return BFloat16{static_cast<std::uint16_t>((bits >> 16) | 0x40u)};
    return BFloat16{static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16)};
  } else {
    return value;
  }
}

struct Sum {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {  // wraps, which signed arithmetic may not
      return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    } else {
      return a + b;
    }
  }
};

// `b != b` holds for NaN only and folds away for integers.
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return (b > a || b != b) ? b : a;
  }
};

struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return (b < a || b != b) ? b : a;
  }
};

// Works through blocks whose accumulators stay in the first-level cache.
template <class Element, class Combine>
void reduce(std::span<const void* const> parts, void* out, std::size_t count, Combine combine) {
  using Accumulator = decltype(widen(Element{}));
  constexpr std::size_t kBlock = 2048;
  std::array<Accumulator, kBlock> sums;
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t n = std::min(kBlock, count - begin);
    const auto* first = static_cast<const Element*>(parts[0]) + begin;
    for (std::size_t i = 0; i < n; ++i) sums[i] = widen(first[i]);
    for (const void* part : parts.subspan(1)) {
      const auto* next = static_cast<const Element*>(part) + begin;
      for (std::size_t i = 0; i < n; ++i) sums[i] = combine(sums[i], widen(next[i]));
    }
    auto* result = static_cast<Element*>(out) + begin;
    for (std::size_t i = 0; i < n; ++i) result[i] = narrow<Element>(sums[i]);
  }
}

template <class Element>
void reduce(std::span<const void* const> parts, void* out, std::size_t count, ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return reduce<Element>(parts, out, count, Sum());
    case ReduceOp::kMax:
      return reduce<Element>(parts, out, count, Max());
    case ReduceOp::kMin:
      return reduce<Element>(parts, out, count, Min());
  }
}

}  // namespace

void reduce_in_order(std::span<const void* const> parts, void* out, std::size_t count,
                     DataType type, ReduceOp op) {
  switch (type) {
    case DataType::kU8:
      return reduce<std::uint8_t>(parts, out, count, op);
    case DataType::kI32:
      return reduce<std::int32_t>(parts, out, count, op);
    case DataType::kI64:
      return reduce<std::int64_t>(parts, out, count, op);
    case DataType::kF32:
      return reduce<float>(parts, out, count, op);
    case DataType::kF64:
      return reduce<double>(parts, out, count, op);
    case DataType::kBF16:
      return reduce<BFloat16>(parts, out, count, op);
  }
}

}  // namespace pretrain
