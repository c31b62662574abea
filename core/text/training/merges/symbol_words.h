#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/text/training/merges/merge_learner.h"
#include "core/text/training/word_counts.h"

namespace pretrain {

/// Words cut into the symbols that merges start from. The texts of the symbols are in the order of
/// their ids.
struct InitialSymbols {
  std::vector<std::string> texts;
  SymbolWords words;
};

/// Symbols are bytes: all 256, in the order of the code points of their byte_symbol.
InitialSymbols byte_symbols_of(const WordCounts& counts);

struct CharacterSymbols {
  std::size_t max_characters = 0;      ///< of the alphabet: the most frequent ones; 0: all
  std::string continuing_prefix = {};  ///< before each character but the first of a word: "##"
  std::string end_of_word = {};        ///< behind the last character of a word: "</w>"
};

/// Symbols are characters, of words that must be well-formed UTF-8: those of the alphabet in the
/// order of their code points, then those with a mark, in the order of their bytes. Characters
/// beyond the alphabet are left out of the words; of equally frequent ones the smallest stay.
InitialSymbols character_symbols_of(const WordCounts& counts, const CharacterSymbols& options);

}  // namespace pretrain
