#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pretrain {

/// Deals turns 0, 1, 2, ... out to sources in exact proportion to whole weights, O(log sources) and
/// stateless.
///
/// The sources are halved again and again; of the first m turns of a node whose halves weigh L and
/// R, the left one has round(m L / (L + R)). So turns of a source are spread evenly, each source is
/// never more than log2(sources) turns off its share, and after sum(weights) turns each source has
/// had exactly its weight (Bresenham's line, nested).
class ProportionalDeal {
 public:
  /// Sources of weight 0 get no turn. Throws kInternal unless the sum is 1 to 2^63 - 1.
  explicit ProportionalDeal(const std::vector<std::uint64_t>& weights);

  struct Turn {
    std::size_t source = 0;
    std::uint64_t index = 0;  ///< turns the source had before
    bool operator==(const Turn&) const = default;
  };
  Turn at(std::uint64_t turn) const;
  /// Turns of each source among the first `turns`.
  std::vector<std::uint64_t> counts(std::uint64_t turns) const;
  /// Part of the turns that a source gets.
  double share(std::size_t source) const;
  std::size_t sources() const { return before_.size() - 1; }

 private:
  void count(std::size_t begin, std::size_t end, std::uint64_t turns,
             std::vector<std::uint64_t>& counts) const;
  std::uint64_t weight(std::size_t begin, std::size_t end) const {
    return before_[end] - before_[begin];
  }

  std::vector<std::uint64_t> before_;  // [sources + 1] sum of the weights of the sources before
};

}  // namespace pretrain
