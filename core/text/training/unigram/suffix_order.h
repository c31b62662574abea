#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/text/training/word_counts.h"

namespace pretrain {

/// Words as code points, one behind the other. Long words are cut: see flatten_words.
struct FlatWords {
  std::vector<std::uint32_t> characters;
  std::vector<std::uint32_t> ends;     ///< by place: where the word of this character ends
  std::vector<std::uint32_t> begins;   ///< of each word, and the end of the last
  std::vector<std::uint64_t> weights;  ///< how often each word stands in the text
};

/// Words (well-formed UTF-8) are cut into parts of at most `max_length` characters, so that the
/// probability of a part never underflows, and at the characters that are not among the
/// `max_characters` (0: no limit) most frequent ones. Throws kBadData for 2^31 characters or more.
FlatWords flatten_words(const WordCounts& counts, std::size_t max_characters,
                        std::size_t max_length);

/// All places, sorted by the characters from there to the end of the word, of which the first
/// `depth` count; equal ones by place. Prefix doubling: log2(depth) rounds of counting sort, so
/// `depth` is rounded up to a power of two. Needs 16 bytes a character.
std::vector<std::uint32_t> sort_suffixes(const FlatWords& words, std::size_t depth);

/// How many characters, at most `depth`, the suffixes at two places have in common.
std::size_t common_prefix(const FlatWords& words, std::uint32_t a, std::uint32_t b,
                          std::size_t depth);

}  // namespace pretrain
