#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/text/model/byte_pair/merge_table.h"

namespace pretrain {

/// The symbols of a word on their way to tokens.
struct Symbols {
  std::vector<std::uint32_t> ids;
  std::vector<std::uint32_t> ends;  ///< bytes of the word up to and with the symbol

  void clear() {
    ids.clear();
    ends.clear();
  }
  void add(std::uint32_t id, std::uint32_t end) {
    ids.push_back(id);
    ends.push_back(end);
  }
};

/// Byte-pair encoding (R. Sennrich et al., "Neural Machine Translation of Rare Words with Subword
/// Units", 2016): of all neighbours that merge, those with the lowest rank merge first, from the
/// left, until none do. Keeps buffers for the next word, so not to be shared between threads.
class SymbolMerger {
 public:
  /// Merges the `count` ids at `ids` in place and returns how many are left. Quadratic: for short
  /// words, `count` <= kShort.
  static std::size_t merge_short(const MergeTable& table, std::uint32_t* ids, std::size_t count);
  static constexpr std::size_t kShort = 96;

  /// The same for words of any length, in O(n log n) time; keeps the ends.
  void merge(const MergeTable& table, Symbols& symbols);

 private:
  struct Link {
    std::uint32_t previous;
    std::uint32_t next;
    std::uint32_t rank;  // of merging this symbol with the next one
  };
  void look_at(const MergeTable& table, const Symbols& symbols, std::uint32_t place);

  std::vector<Link> links_;
  std::vector<std::uint64_t> heap_;  // rank << 32 | place, least first
};

}  // namespace pretrain
