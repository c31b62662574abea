#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/text/training/word_counts.h"

namespace pretrain {

/// The characters of words that are well-formed UTF-8, ascending. If there are more than
/// `max_characters` (0: no limit) only the most frequent ones, of equally frequent ones the
/// smallest.
std::vector<std::uint32_t> alphabet_of(const WordCounts& counts, std::size_t max_characters);

}  // namespace pretrain
