#pragma once

#include <cstdint>
#include <vector>

#include "core/data/corpus/build/prepared_corpus.h"

namespace pretrain {

/// Chooses the documents of `valid` by a keyed hash of their numbers, so that the same number is
/// always in the same split. Not thread-safe.
class SplitChooser {
 public:
  /// `fraction` of the documents, in [0, 1).
  explicit SplitChooser(double fraction) : fraction_(fraction) {}
  void add(std::uint64_t document);
  /// Splits of `documents` documents, of which those from `added` on are validation inputs. If the
  /// hash chose none, the one with the smallest hash goes to `valid`, unless it is the only one.
  CorpusSplits ranges(std::uint64_t added, std::uint64_t documents) const;

 private:
  double fraction_;
  std::vector<std::uint64_t> valid_;
  double smallest_hash_ = 2;
  std::uint64_t smallest_ = 0;
};

}  // namespace pretrain
