#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/text/training/unigram/suffix_order.h"

namespace pretrain {

/// A substring of the words, as the first `length` characters of the suffixes
/// order[begin] ... order[end - 1].
struct SeedPiece {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t length = 0;  ///< characters
  std::uint64_t count = 0;   ///< how often it stands in the text
};

struct SeedOptions {
  std::size_t max_length = 16;         ///< of a piece, in characters
  std::size_t max_pieces = 1'000'000;  ///< longer than one character
};

/// The pieces that unigram training starts from: every character, then the substrings that stand at
/// least twice in the text and of which no longer one stands in the same places, those of the
/// highest count x length first. `order` is sort_suffixes(words, max_length).
std::vector<SeedPiece> find_seed_pieces(const FlatWords& words,
                                        const std::vector<std::uint32_t>& order,
                                        const SeedOptions& options);

}  // namespace pretrain
