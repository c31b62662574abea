#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/text/model/byte_pair/merge_table.h"

namespace pretrain {

/// Which two bytes, one behind the other, some merge can reach across: those that end and begin the
/// two parts of a merge. Of GPT-2's 65,536 pairs these are 2,689, so words of scripts that it does
/// not know well fall apart into single characters. Immutable; safe to share between threads.
class MergingNeighbours {
 public:
  /// Of a byte-level vocabulary, whose tokens are written in byte symbols.
  MergingNeighbours(const TrieVocabulary& vocabulary, const MergeTable& merges);

  bool may_merge(char left, char right) const {
    const std::size_t pair =
        std::size_t{static_cast<unsigned char>(left)} << 8 | static_cast<unsigned char>(right);
    return (bits_[pair / 64] >> (pair % 64) & 1) != 0;
  }

 private:
  std::vector<std::uint64_t> bits_;
};

}  // namespace pretrain
