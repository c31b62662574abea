#include "core/text/split/piece_scanners.h"

namespace pretrain {
namespace {

constexpr CategorySet kCaseless =
    category_range(GeneralCategory::kLm, GeneralCategory::kLo) | kMarks;
constexpr CategorySet kSmall =
    category_range(GeneralCategory::kLl, GeneralCategory::kLl) | kCaseless;
constexpr CategorySet kCapital =
    (kLetters | kMarks) & ~category_range(GeneralCategory::kLl, GeneralCategory::kLl);

bool is_line_end(char byte) { return byte == '\r' || byte == '\n'; }

}  // namespace

const char* PieceScanner::skip_contraction(const char* at, bool any_case) const {
  const auto left = end() - at;
  if (left < 2 || *at != '\'') return at;
  const auto letter = [&](int k) {
    return static_cast<char>(any_case && at[k] >= 'A' && at[k] <= 'Z' ? at[k] + 0x20 : at[k]);
  };
  const char first = letter(1);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  if (left < 3) return at;
  const char second = letter(2);
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
      (first == 'l' && second == 'l')) {
    return at + 3;
  }
  // U+017F, the long s, is an s in another case.
  return any_case && at[1] == '\xC5' && at[2] == '\xBF' ? at + 3 : at;
}

const char* PieceScanner::white_space_end(const char* at, bool lines, bool whole_end) const {
  const char* last = at;  // the last code point of the run
  const char* line_end = nullptr;
  const char* run_end = at;
  while (run_end < end()) {
    const Unit next = unit(run_end);
    if (!next.is(kWhiteSpace)) break;
    last = run_end;
    run_end += next.length;
    if (is_line_end(*last)) line_end = run_end;
  }
  if (whole_end && run_end == end()) return run_end;
  if (lines && line_end != nullptr) return line_end;
  // The last one stays for the word behind it, unless it is alone.
  return run_end == end() || last == at ? run_end : last;
}

const char* PieceScanner::other_end(const char* at, bool slash) const {
  const char* first = at + (*at == ' ');
  const char* behind = skip(kOther, first);
  if (behind == first) return nullptr;
  while (behind < end() && (is_line_end(*behind) || (slash && *behind == '/'))) ++behind;
  return behind;
}

const char* CasedScanner::word_end(const char* begin) const {
  const Unit first = unit(begin);
  const bool prefixed = !first.is(kWordOrNumber) && !is_line_end(*begin);
  const char* word = prefixed ? begin + first.length : begin;
  const char* caseless_end = nullptr;  // behind the last caseless one of the capitals
  const char* capitals_end = word;
  while (capitals_end < end()) {
    const Unit next = unit(capitals_end);
    if (!next.is(kCapital)) break;
    capitals_end += next.length;
    if (next.is(kCaseless)) caseless_end = capitals_end;
  }
  const char* small_end = skip_small_letters(kSmall, capitals_end);
  if (small_end != capitals_end) return small_end;
  // No small letter follows the capitals: U* gives back as much as L+ needs, one caseless letter.
  if (caseless_end != nullptr) return caseless_end;
  // Neither in them, but a mark in front may be L+ instead of the prefix.
  if (prefixed && first.is(kMarks)) return word;
  return capitals_end != word ? capitals_end : nullptr;
}

}  // namespace pretrain
