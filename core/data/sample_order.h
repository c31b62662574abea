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
  /// `rows` > 0. Without `shuffle` every epoch is 0, 1, 2, ... Orders of different `stream`s are
  /// independent. With a `group` above 1, so many neighbouring rows follow one another and groups
  /// are permuted, the shorter last one too. Groups are smaller where there would be fewer than 16.
  SampleOrder(std::uint64_t seed, std::uint64_t rows, bool shuffle, std::uint64_t stream = 0,
              std::uint64_t group = 1);

  /// `position`: number of the sample since the start of the run, over all ranks.
  std::uint64_t row(std::uint64_t position) const;
  std::uint64_t epoch(std::uint64_t position) const { return position / rows_; }
  /// The inverse: where in [0, rows()) of an epoch a row comes.
  std::uint64_t place(std::uint64_t row, std::uint64_t epoch) const;
  /// Another row than its `own` for sample `id`, drawn uniformly; perhaps of the same document.
  std::uint64_t other_row(std::uint64_t id, std::uint64_t own) const;
  std::uint64_t rows() const { return rows_; }

 private:
  // The place of a group among the groups of an epoch is its slot.
  std::uint64_t group_at(std::uint64_t slot, std::uint64_t epoch) const;
  std::uint64_t slot_of(std::uint64_t group, std::uint64_t epoch) const;
  std::uint64_t permute(std::uint64_t value, std::uint64_t epoch) const;
  std::uint64_t permute_back(std::uint64_t value, std::uint64_t epoch) const;
  std::uint64_t draw(std::uint64_t half, std::uint32_t round, std::uint64_t epoch) const;

  std::uint64_t seed_;
  std::uint64_t rows_;
  std::uint64_t group_;
  std::uint64_t tail_;    // rows of a shorter last group; 0: there is none
  std::uint64_t groups_;  // with the last one
  bool shuffle_;
  unsigned half_bits_;  // of a half of the Feistel network
  std::array<std::uint32_t, 2> key_;
};

}  // namespace pretrain
