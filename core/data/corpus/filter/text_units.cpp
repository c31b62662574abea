#include "core/data/corpus/filter/text_units.h"

#include <algorithm>

#include "core/text/unicode/general_category.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

std::string_view trimmed(std::string_view text) {
  std::size_t begin = text.size();
  std::size_t end = 0;
  for (std::size_t next = 0; next < text.size();) {
    const std::size_t at = next;
    if (is_white_space(next_code_point(text, next))) continue;
    if (begin == text.size()) begin = at;
    end = next;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

void add(std::string_view part, std::vector<std::string_view>& parts) {
  const std::string_view text = trimmed(part);
  if (!text.empty()) parts.push_back(text);
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  for (std::size_t next = 0; next < text.size();) {
    const std::size_t at = next;
    if (!is_white_space(next_code_point(text, next))) continue;
    if (at > begin) words.push_back(text.substr(begin, at - begin));
    begin = next;
  }
  if (begin < text.size()) words.push_back(text.substr(begin));
  return words;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    add(text.substr(0, end), lines);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string_view> paragraphs_of(std::string_view text) {
  std::vector<std::string_view> paragraphs;
  std::size_t begin = 0;
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    if (trimmed(text.substr(line, end - line)).empty()) {
      add(text.substr(begin, line - begin), paragraphs);
      begin = end;
    }
    line = end + 1;
  }
  add(text.substr(begin), paragraphs);
  return paragraphs;
}

}  // namespace pretrain
