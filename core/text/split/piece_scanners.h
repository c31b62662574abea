#pragma once

#include "core/text/split/code_point_scanner.h"

namespace pretrain {

/// What the scanners below share. `\s+(?!\S)|\s+` and its like come last in all patterns, so a run
/// of white space is handled here.
class PieceScanner : protected CodePointScanner {
 protected:
  using CodePointScanner::CodePointScanner;

  static constexpr CategorySet kWordOrNumber = kLetters | kNumbers;
  static constexpr CategorySet kOther = ~(kLetters | kNumbers | kWhiteSpace);

  /// `'s|'t|'re|'ve|'m|'ll|'d`, in small letters or `any_case`: behind it, or `at`.
  const char* skip_contraction(const char* at, bool any_case) const;
  /// White space at `at`: with `lines`, `\s*[\r\n]+|\s+(?!\S)|\s+`, else without the first; with
  /// `whole_end`, `\s+$` before both.
  const char* white_space_end(const char* at, bool lines, bool whole_end) const;
  /// ` ?[^\s\p{L}\p{N}]+[\r\n]*`, with `slash` `[\r\n/]*`: behind it, or nullptr.
  const char* other_end(const char* at, bool slash) const;
};

/// GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
class Gpt2Scanner : public PieceScanner {
 public:
  explicit Gpt2Scanner(std::string_view text) : PieceScanner(text) {}

  /// Behind the piece that starts at `begin`, which is before the end of the text; so below.
  const char* piece_end(const char* begin) const {
    const char* at = begin + (*begin == ' ');
    if (at == end()) return at;
    const Unit first = unit(at);
    if (first.is(kLetters)) return skip_word(kLetters, at);
    if (first.is(kWhiteSpace)) return white_space_end(begin, false, false);
    if (first.is(kNumbers)) return skip(kNumbers, at);
    const char* contraction = skip_contraction(begin, false);
    return contraction != begin ? contraction : skip(kOther, at);
  }
};

/// What differs between the patterns of one scanner.
struct PieceRules {
  unsigned most_digits = 3;  ///< `\p{N}{1,3}`
  bool contractions = true;  ///< `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
  bool whole_end = false;    ///< `\s+$` is one piece
};

/// cl100k, llama3, qwen2: `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
/// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
class PrefixScanner : public PieceScanner {
 public:
  PrefixScanner(std::string_view text, const PieceRules& rules)
      : PieceScanner(text), rules_(rules) {}

  const char* piece_end(const char* begin) const {
    const Unit first = unit(begin);
    if (first.is(kLetters)) return skip_word(kLetters, begin);
    if (first.is(kNumbers)) return skip(kNumbers, begin, rules_.most_digits);
    if (*begin == '\'' && rules_.contractions) {
      if (const char* at = skip_contraction(begin, true); at != begin) return at;
    }
    if (*begin != '\r' && *begin != '\n') {
      const char* word = begin + first.length;
      if (const char* at = skip_word(kLetters, word); at != word) return at;
      if (const char* at = other_end(begin, false)) return at;
    }
    return white_space_end(begin, true, rules_.whole_end);
  }

 private:
  PieceRules rules_;
};

/// o200k: words end where a capital follows a small letter, and take contractions along. Its first
/// two alternatives are `[^\r\n\p{L}\p{N}]?U*L+C?|[^\r\n\p{L}\p{N}]?U+L*C?` with
/// U = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, L = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`, C = the contractions.
class CasedScanner : public PieceScanner {
 public:
  CasedScanner(std::string_view text, const PieceRules& rules)
      : PieceScanner(text), rules_(rules) {}

  const char* piece_end(const char* begin) const {
    if (const char* word = word_end(begin)) {
      return rules_.contractions && has(word, '\'') ? skip_contraction(word, true) : word;
    }
    if (is(kNumbers, begin)) return skip(kNumbers, begin, rules_.most_digits);
    const char* other = other_end(begin, true);
    return other != nullptr ? other : white_space_end(begin, true, rules_.whole_end);
  }

 private:
  const char* word_end(const char* begin) const;
  PieceRules rules_;
};

}  // namespace pretrain
