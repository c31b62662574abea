#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/text/model/trie_vocabulary.h"

namespace pretrain {

/// Two tokens that BPE joins, by their texts.
struct BpeMerge {
  std::string left;
  std::string right;
};

/// What merges of token ids give: a flat hash table of pairs. The merge that comes first in the
/// list has rank 0 and is done first. Immutable; safe to share between threads.
class MergeTable {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kMaxTokens = 1u << 21;  ///< what fits into an entry
  static constexpr std::uint32_t kMaxMerges = (1u << 22) - 1;

  /// A table without merges for ids below `tokens`. Throws kBadData, naming `place`, if they are
  /// more than kMaxTokens.
  MergeTable(std::size_t tokens, std::size_t merges, const std::string& place);
  /// The merges over a vocabulary: left + right without `prefix`, which begins the texts of tokens
  /// that continue a word, must be a token. A merge into a reserved token is left out. Throws
  /// kBadData naming the merge that has a part or a product that is no token, or comes twice.
  MergeTable(const TrieVocabulary& vocabulary, const std::vector<BpeMerge>& merges,
             const std::string& prefix, const std::string& place);

  /// Adds a merge with the next rank; `merged` kNone makes it one that never happens. Returns false
  /// if the pair is there already.
  bool add(std::uint32_t left, std::uint32_t right, std::uint32_t merged);

  /// The rank of merging two ids, kNone if they do not merge.
  std::uint32_t rank(std::uint32_t left, std::uint32_t right) const {
    const std::uint64_t pair = std::uint64_t{left} << 21 | right;
    for (std::size_t i = place_of(pair);; i = (i + 1) & mask_) {
      const std::uint64_t entry = entries_[i];
      if (entry >> kRankBits == pair) return static_cast<std::uint32_t>(entry & kMaxMerges);
      if (entry == kEmpty) return kNone;
    }
  }
  /// Calls act(left, right) for each pair that merges, in no order.
  template <class Act>
  void for_each_pair(Act&& act) const {
    for (const std::uint64_t entry : entries_) {
      if (entry == kEmpty) continue;
      act(static_cast<std::uint32_t>(entry >> (kRankBits + 21)),
          static_cast<std::uint32_t>(entry >> kRankBits) & (kMaxTokens - 1));
    }
  }
  /// The id that the merge with a rank gives.
  std::uint32_t merged(std::uint32_t rank) const { return merged_[rank]; }

 private:
  static constexpr int kRankBits = 22;
  static constexpr std::uint64_t kEmpty = UINT64_MAX;

  std::size_t place_of(std::uint64_t pair) const {
    return static_cast<std::size_t>(pair * 0x9E3779B97F4A7C15u >> shift_);
  }

  // left << 43 | right << 22 | rank; at most half of them are used.
  std::vector<std::uint64_t> entries_;
  std::vector<std::uint32_t> merged_;
  std::size_t mask_ = 0;
  int shift_ = 0;
};

}  // namespace pretrain
