#include "core/data/packing/fit.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>
#include <utility>

#include "core/base/error.h"

namespace pretrain {
namespace {

// Numbers of the pieces, by descending size, then in order.
std::vector<std::uint16_t> by_size(std::span<const std::uint32_t> sizes) {
  std::vector<std::uint16_t> pieces;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] > 0) pieces.push_back(static_cast<std::uint16_t>(i));
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [&](std::uint16_t a, std::uint16_t b) { return sizes[a] > sizes[b]; });
  return pieces;
}

Fitted none_fitted(std::span<const std::uint32_t> sizes) {
  if (sizes.size() >= Fitted::kNone) fail(ExitCode::kInternal, sizes.size(), " pieces to fit");
  Fitted fitted;
  fitted.row_of.assign(sizes.size(), Fitted::kNone);
  return fitted;
}

// The most room in any row of a range of rows, as a binary tree: finds the first row with room.
class RoomTree {
 public:
  RoomTree(std::size_t rows, std::uint32_t capacity)
      : leaves_(std::bit_ceil(std::max<std::size_t>(rows, 1))), most_(2 * leaves_, capacity) {}

  std::size_t take(std::uint32_t size) {
    std::size_t node = 1;
    while (node < leaves_) node = most_[2 * node] >= size ? 2 * node : 2 * node + 1;
    const std::size_t row = node - leaves_;
    most_[node] -= size;
    while ((node /= 2) > 0) most_[node] = std::max(most_[2 * node], most_[2 * node + 1]);
    return row;
  }

 private:
  std::size_t leaves_;
  std::vector<std::uint32_t> most_;
};

}  // namespace

Fitted fit_first(std::span<const std::uint32_t> sizes, std::uint32_t capacity) {
  Fitted fitted = none_fitted(sizes);
  RoomTree room(sizes.size(), capacity);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) continue;
    const auto row = static_cast<std::uint16_t>(room.take(sizes[i]));
    fitted.row_of[i] = row;
    fitted.rows = std::max<std::uint16_t>(fitted.rows, static_cast<std::uint16_t>(row + 1));
  }
  return fitted;
}

Fitted fit_best(std::span<const std::uint32_t> sizes, std::uint32_t capacity) {
  Fitted fitted = none_fitted(sizes);
  std::set<std::pair<std::uint32_t, std::uint16_t>> room;  // what is left in a row, the row
  for (const std::uint16_t piece : by_size(sizes)) {
    const std::uint32_t size = sizes[piece];
    std::pair<std::uint32_t, std::uint16_t> row{capacity, fitted.rows};
    const auto fullest = room.lower_bound({size, 0});
    if (fullest == room.end()) {
      ++fitted.rows;
    } else {
      row = *fullest;
      room.erase(fullest);
    }
    fitted.row_of[piece] = row.second;
    if (row.first > size) room.insert({row.first - size, row.second});
  }
  return fitted;
}

Fitted fit_one_each(std::span<const std::uint32_t> sizes) {
  Fitted fitted = none_fitted(sizes);
  std::vector<std::uint16_t> pieces = by_size(sizes);
  std::reverse(pieces.begin(), pieces.end());
  for (const std::uint16_t piece : pieces) fitted.row_of[piece] = fitted.rows++;
  return fitted;
}

}  // namespace pretrain
