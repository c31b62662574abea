#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pretrain {

/// Rows that pieces were laid into.
struct Fitted {
  static constexpr std::uint16_t kNone = UINT16_MAX;
  std::vector<std::uint16_t> row_of;  ///< of each piece; kNone for sizes of 0
  std::uint16_t rows = 0;
};

/// Lays pieces of the given sizes (each at most `capacity`; at most 65,535 of them; 0: no piece)
/// into rows of `capacity`. Deterministic; O(n log n). Bounds on the number of rows against the
/// fewest possible: Johnson et al., "Worst-case performance bounds for simple one-dimensional
/// packing algorithms" (1974): 17/10 for first fit, 11/9 for best fit of descending sizes.
Fitted fit_first(std::span<const std::uint32_t> sizes, std::uint32_t capacity);
/// The longest piece first (ties: the earlier one), each into the fullest row with room for it.
Fitted fit_best(std::span<const std::uint32_t> sizes, std::uint32_t capacity);
/// A row for each piece, the shortest first.
Fitted fit_one_each(std::span<const std::uint32_t> sizes);

}  // namespace pretrain
