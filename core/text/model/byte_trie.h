#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pretrain {

/// A set of byte strings, each with the number of its place in the list, walked byte by byte: a
/// double array (J. Aoe, "An efficient digital search algorithm by using a double-array structure",
/// 1989), so that one step is one look into memory. Immutable; safe to share between threads.
class ByteTrie {
 public:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// Keys must differ and be fewer than kNone. Time and memory grow with their summed length.
  explicit ByteTrie(std::span<const std::string> keys);

  /// The node reached from `node` by `byte`, kNone if no key goes on so.
  Node step(Node node, char byte) const {
    const Node next = units_[node].base + static_cast<unsigned char>(byte);
    return units_[next].parent == node ? next : kNone;
  }
  /// Place of the key that ends at `node`, kNone if none does.
  std::uint32_t value(Node node) const { return units_[node].value; }
  /// Place of `key`, kNone if it is not in the set.
  std::uint32_t find(std::string_view key) const;

 private:
  struct Unit {
    std::uint32_t base = 0;
    std::uint32_t parent = kNone;
    std::uint32_t value = kNone;
  };
  class Builder;
  std::vector<Unit> units_;
};

}  // namespace pretrain
