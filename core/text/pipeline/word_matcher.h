#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/split/split_pattern.h"

namespace pretrain {

/// A part of a word: what a pattern matched, or what lies between two matches.
struct Stretch {
  std::size_t end = 0;  ///< in bytes of the word; begins where the one before it ends
  bool match = false;
  bool operator==(const Stretch&) const = default;
};

/// A pattern that words are split by. Immutable after construction; safe to share between threads.
class WordMatcher {
 public:
  virtual ~WordMatcher() = default;
  /// Replaces `stretches` by those of `word`, none of them empty: matches from left to right, and
  /// what lies between them.
  virtual void find(std::string_view word, std::vector<Stretch>& stretches) const = 0;
};

/// Each code point with `is_match`; with `runs`, each longest run of them (a regular expression
/// such as `\s+`).
std::unique_ptr<WordMatcher> match_characters(bool (*is_match)(std::uint32_t), bool runs);
/// `\w+|[^\w\s]+`
std::unique_ptr<WordMatcher> match_words_and_marks();
/// Each piece of a pattern that covers the whole word.
std::unique_ptr<WordMatcher> match_pattern(const SplitPattern& pattern);
/// A text, which must not be empty.
std::unique_ptr<WordMatcher> match_literal(std::string text);

}  // namespace pretrain
