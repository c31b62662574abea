#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/split/piece_scanners.h"

namespace pretrain {

/// A regular expression that cuts text into the pieces that byte-level BPE encodes one by one. The
/// pieces of a text follow each other without gaps.
struct SplitPattern {
  enum class Scanner { kGpt2, kPrefix, kCased };
  Scanner scanner = Scanner::kGpt2;
  PieceRules rules = {};
};

/// The pattern whose text in tokenizer.json files is exactly `regex`, with the meaning that
/// `tokenizers` gives it: those of gpt2, cl100k, llama3, qwen2, o200k, tekken in their usual
/// spellings; nullopt for any other.
std::optional<SplitPattern> find_split_pattern(std::string_view regex);
/// The text of the pattern with a name, "" for an unknown one: what find_split_pattern and
/// `tokenizers` read.
std::string split_regex(std::string_view name);
/// The names of all patterns.
std::vector<std::string> split_pattern_names();

/// The pattern of GPT-2, which the pre-tokenizer ByteLevel uses.
inline constexpr SplitPattern kGpt2Pattern = {};

/// Calls act(scanner), whose piece_end(begin) is inlined, with the scanner of `pattern` for `text`.
template <class Act>
decltype(auto) with_scanner(const SplitPattern& pattern, std::string_view text, Act&& act) {
  switch (pattern.scanner) {
    case SplitPattern::Scanner::kPrefix:
      return std::forward<Act>(act)(PrefixScanner(text, pattern.rules));
    case SplitPattern::Scanner::kCased:
      return std::forward<Act>(act)(CasedScanner(text, pattern.rules));
    case SplitPattern::Scanner::kGpt2:
      break;
  }
  return std::forward<Act>(act)(Gpt2Scanner(text));
}

/// Calls act(begin, end) with the byte offsets of each piece of `text`, in order. Bytes that are no
/// UTF-8 count as one character each, neither letter, number nor white space.
template <class Act>
void for_each_piece(const SplitPattern& pattern, std::string_view text, Act&& act) {
  with_scanner(pattern, text, [&](const auto& scanner) {
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end =
          static_cast<std::size_t>(scanner.piece_end(text.data() + begin) - text.data());
      act(begin, end);
      begin = end;
    }
  });
}

}  // namespace pretrain
