#pragma once

#include <memory>

#include "core/text/pipeline/pre_tokenizer.h"
#include "core/text/pipeline/word_matcher.h"

namespace pretrain {

/// What becomes of the matches of a pattern; what lies between them is always kept.
enum class SplitBehavior {
  kRemoved,             ///< dropped
  kIsolated,            ///< each a word
  kMergedWithPrevious,  ///< joined to what lies before; of several in a row, the first
  kMergedWithNext,      ///< joined to what lies behind; of several in a row, the last
  kContiguous,          ///< each row of them a word
};

/// Splits words by a pattern. `invert`: what the pattern matches counts as lying between, and the
/// other way round.
std::unique_ptr<PreTokenizer> make_split(std::unique_ptr<WordMatcher> matcher,
                                         SplitBehavior behavior, bool invert);

}  // namespace pretrain
