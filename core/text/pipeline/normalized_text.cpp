#include "core/text/pipeline/normalized_text.h"

#include <utility>

namespace pretrain {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

NormalizedText::NormalizedText(std::string source, std::uint64_t source_begin, bool origins)
    : text_(std::move(source)), has_origins_(origins), at_source_start_(source_begin == 0) {
  if (!origins) return;
  origins_.reserve(text_.size());
  for (std::size_t begin = 0; begin < text_.size();) {
    std::size_t end = begin + 1;
    while (end < text_.size() && is_continuation(text_[end])) ++end;
    origins_.resize(end, {source_begin + begin, source_begin + end});
    begin = end;
  }
}

TextSpan NormalizedText::origin(std::size_t begin, std::size_t end) const {
  return {origins_[begin].begin, origins_[end - 1].end};
}

void NormalizedText::replace(std::size_t begin, std::size_t end, std::string_view by) {
  TextRewriter next(*this);
  next.keep(0, begin);
  if (end > 0) {
    next.put(by, end - 1, end);
  } else if (!text_.empty()) {
    next.put(by, 0, 1);
  }
  next.keep(end, text_.size());
  next.finish();
}

void NormalizedText::prepend(std::string_view prefix) {
  if (!text_.empty()) replace(0, 0, prefix);
}

NormalizedText NormalizedText::part(std::size_t begin, std::size_t end) const {
  NormalizedText part;
  part.text_ = text_.substr(begin, end - begin);
  if (has_origins_) {
    part.origins_.assign(origins_.begin() + static_cast<std::ptrdiff_t>(begin),
                         origins_.begin() + static_cast<std::ptrdiff_t>(end));
  }
  part.has_origins_ = has_origins_;
  part.at_source_start_ = begin == 0 && at_source_start_;
  return part;
}

void NormalizedText::keep_only(std::size_t begin, std::size_t end) {
  if (begin != 0 || end != text_.size()) *this = part(begin, end);
}

TextRewriter::TextRewriter(NormalizedText& text) : text_(text) {
  written_.reserve(text.text_.size() + text.text_.size() / 8);
  if (text.has_origins_) origins_.reserve(written_.capacity());
}

void TextRewriter::note_start(std::size_t begin) {
  if (written_.empty()) at_source_start_ = begin == 0 && text_.at_source_start_;
}

void TextRewriter::keep(std::size_t begin, std::size_t end) {
  if (begin == end) return;
  note_start(begin);
  written_.append(text_.text_, begin, end - begin);
  if (text_.has_origins_) {
    origins_.insert(origins_.end(), text_.origins_.begin() + static_cast<std::ptrdiff_t>(begin),
                    text_.origins_.begin() + static_cast<std::ptrdiff_t>(end));
  }
}

void TextRewriter::put(std::string_view by, std::size_t begin, std::size_t end) {
  if (by.empty()) return;
  note_start(begin);
  written_.append(by);
  if (text_.has_origins_) origins_.resize(written_.size(), text_.origin(begin, end));
}

void TextRewriter::finish() {
  text_.text_.swap(written_);
  text_.origins_.swap(origins_);
  text_.at_source_start_ = at_source_start_;
}

}  // namespace pretrain
