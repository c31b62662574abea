#pragma once

#include <cstdint>
#include <span>

namespace pretrain {

/// Rows of tokens that can be read in any order. Immutable; safe to read from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  /// Number of rows.
  virtual std::uint64_t size() const = 0;
  /// Tokens of a row including the one that follows its last position.
  virtual std::size_t row_tokens() const = 0;
  /// Writes row `index` (< size()) to out, which holds row_tokens() ids.
  virtual void read(std::uint64_t index, std::span<std::int64_t> out) const = 0;
};

}  // namespace pretrain
