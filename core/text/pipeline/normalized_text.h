#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {

/// A text on its way through normalizers and pre-tokenizers, and, only when asked for, the bytes of
/// the source text that each of its bytes stands for. Well-formed UTF-8 throughout, unless the
/// tokenizer is byte-level. Not safe to share between threads.
class NormalizedText {
 public:
  /// Starts as `source`, which begins at byte `source_begin` of the whole text. With `origins` each
  /// code point stands for itself.
  NormalizedText(std::string source, std::uint64_t source_begin, bool origins);

  const std::string& text() const { return text_; }
  bool has_origins() const { return has_origins_; }
  /// The source bytes that the non-empty range [begin, end) of text() stands for, as positions in
  /// the whole text. Needs origins.
  TextSpan origin(std::size_t begin, std::size_t end) const;
  /// Whether text() still begins with what begins the whole text.
  bool at_source_start() const { return at_source_start_; }

  /// Replaces each code point by what `map(code_point, out)` appends to the string `out`; all of it
  /// stands for that code point. Appending nothing removes the code point.
  template <class Map>
  void map(Map&& map);
  /// Replaces [begin, end) by `by`, which stands for the last code point replaced (as in
  /// `tokenizers`); an empty range is an insertion, which stands for the code point before it. For
  /// many places use TextRewriter.
  void replace(std::size_t begin, std::size_t end, std::string_view by);
  /// Puts `prefix` in front; it stands for the first code point. Nothing happens to an empty text.
  void prepend(std::string_view prefix);
  /// A copy of [begin, end); costs time and memory by its own length.
  NormalizedText part(std::size_t begin, std::size_t end) const;
  /// Keeps only [begin, end): what a strip leaves.
  void keep_only(std::size_t begin, std::size_t end);

 private:
  NormalizedText() = default;
  friend class TextRewriter;
  std::string text_;
  std::vector<TextSpan> origins_;  // one a byte, or empty
  bool has_origins_ = false;
  bool at_source_start_ = false;
};

/// Writes the next text of a NormalizedText from left to right, in one pass:
///     TextRewriter next(text);
///     next.keep(0, 5);
///     next.put("\u2581", 5, 6);
///     next.finish();
/// What is neither kept nor put is removed.
class TextRewriter {
 public:
  /// Borrows `text`, which stays as it is until finish().
  explicit TextRewriter(NormalizedText& text);

  /// The text before the rewriting.
  std::string_view old() const { return text_.text_; }
  /// Bytes written so far: where the next one will be.
  std::size_t size() const { return written_.size(); }
  /// Appends bytes [begin, end) of old() as they are.
  void keep(std::size_t begin, std::size_t end);
  /// Appends `by`, which stands for what bytes [begin, end) of old(), not empty, stand for.
  void put(std::string_view by, std::size_t begin, std::size_t end);
  /// Makes what was written the text. Call once, last.
  void finish();

 private:
  void note_start(std::size_t begin);
  NormalizedText& text_;
  std::string written_;
  std::vector<TextSpan> origins_;
  bool at_source_start_ = false;
};

template <class Map>
void NormalizedText::map(Map&& map) {
  TextRewriter next(*this);
  std::string by;
  for (std::size_t end = 0; end < text_.size();) {
    const std::size_t begin = end;
    const std::uint32_t code_point = next_code_point(text_, end);
    by.clear();
    map(code_point, by);
    next.put(by, begin, end);
  }
  next.finish();
}

}  // namespace pretrain
