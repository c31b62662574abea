#pragma once

#include <array>
#include <cstdint>

namespace pretrain {

/// Which row of a dataset is the n-th sample of a run: each epoch visits every row once, in an
/// order of its own. O(1) and stateless: no index file, no history, the same at any number of
/// ranks.
///
/// The order of an epoch is a keyed permutation of [0, rows): an 8-round Feistel network (Luby and
/// Rackoff, 1988) over the next even power of two, with Philox as round function, walked until the
/// value is below `rows` (cycle walking: Black and Rogaway, 2002; at most 4 steps on average, from
/// 16 rows on).
class SampleOrder {
 public:
  /// `rows` > 0. Without `shuffle` every epoch is 0, 1, 2, ...
  SampleOrder(std::uint64_t seed, std::uint64_t rows, bool shuffle);

  /// `position`: number of the sample since the start of the run, over all ranks.
  std::uint64_t row(std::uint64_t position) const;
  std::uint64_t epoch(std::uint64_t position) const { return position / rows_; }
  /// A row drawn uniformly for the sample, apart from its own.
  std::uint64_t other_row(std::uint64_t position) const;
  std::uint64_t rows() const { return rows_; }

 private:
  std::uint64_t permute(std::uint64_t value, std::uint64_t epoch) const;

  std::uint64_t seed_;
  std::uint64_t rows_;
  bool shuffle_;
  unsigned half_bits_;  // of a half of the Feistel network
  std::array<std::uint32_t, 2> key_;
};

}  // namespace pretrain
