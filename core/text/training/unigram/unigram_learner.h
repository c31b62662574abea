#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/text/training/word_counts.h"

namespace pretrain {

/// A piece of a unigram vocabulary.
struct ScoredPiece {
  std::string text;
  double score = 0;  ///< natural logarithm of its probability
};

struct UnigramLearning {
  std::size_t pieces = 8000;       ///< to end with; at least the characters of the alphabet
  std::size_t max_characters = 0;  ///< of the alphabet: the most frequent ones; 0: all
  std::size_t max_seed_pieces = 1'000'000;
  unsigned threads = 1;
  /// Told the number of pieces that are left before each round; may throw to end the work. May be
  /// empty.
  std::function<void(std::size_t)> progress = {};
};

/// A unigram language model over pieces (Kudo 2018): from the frequent substrings of the words as
/// the first vocabulary, in turns two rounds of expectation maximization (with the digamma of the
/// counts in place of their logarithm, a sparse prior) and the removal of the quarter of the
/// pieces whose loss lowers the likelihood least, until `pieces` are left. Characters are never
/// removed. The result is in the order of falling scores, equal ones in that of their texts, and
/// does not depend on the number of threads. Words must be well-formed UTF-8; those above 32
/// characters are cut. Fewer than `pieces` come out where the text has no more. Throws kUsage if
/// `pieces` is smaller than the alphabet, kBadData for too many characters.
std::vector<ScoredPiece> learn_unigram(const WordCounts& counts, const UnigramLearning& options);

}  // namespace pretrain
