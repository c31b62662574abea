#include "core/config/yaml/yaml_surface.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace pretrain {

namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kMaxWord = 65'536;

// Length of the well-formed UTF-8 sequence at the front of `text`, 0 if it is ill-formed
// (Unicode standard, table 3-7).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto within = [&](std::size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

class SurfaceCheck {
 public:
  SurfaceCheck(std::string_view text, const Mark& origin, ErrorList& errors)
      : text_(text), origin_(origin), errors_(errors) {}

  bool run() {
    if (text_.size() > kMaxConfigBytes) {
      return refuse_at(0, concat("expected at most 1 MiB, got ", text_.size(),
                                 " bytes. Move lists of data into files"));
    }
    if (text_.starts_with("\xEF\xBB\xBF")) {
      return refuse_at(0, "begins with a byte order mark. Save it as UTF-8 without one");
    }
    return check_bytes() && check_directives() && check_structure();
  }

 private:
  bool refuse_at(std::size_t offset, const std::string& message) {
    Mark mark = origin_;
    if (mark.line > 0) {
      const std::string_view before = text_.substr(0, offset);
      const std::size_t newline = before.rfind('\n');
      mark.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
      mark.column = 1 + static_cast<int>(offset - (newline == kNone ? 0 : newline + 1));
    }
    errors_.add(mark, message);
    return false;
  }

  bool check_bytes() {
    bool good = true;
    bool tab_in_line = false;
    for (std::size_t i = 0; i < text_.size() && !errors_.full(); ++i) {
      const auto byte = static_cast<unsigned char>(text_[i]);
      if (byte == '\n') {
        tab_in_line = false;
      } else if (byte == '\t') {
        if (!tab_in_line) good = refuse_at(i, "a tab. Use blanks, or \\t inside double quotes");
        tab_in_line = true;
      } else if (byte == '\0') {
        return refuse_at(i, "a NUL byte, expected text. Is this a YAML file?");
      } else if ((byte < 0x20 && !(byte == '\r' && at(i + 1) == '\n')) || byte == 0x7F) {
        return refuse_at(i, concat("a control byte of value ", int{byte}, ", expected text"));
      } else if (byte >= 0x80) {
        const std::size_t length = utf8_length(text_.substr(i));
        if (length == 0) return refuse_at(i, "a byte that is not UTF-8. Save it as UTF-8");
        i += length - 1;
      }
    }
    return good;
  }

  // A directive stands before the first document, so only comments and empty lines precede it.
  bool check_directives() {
    for (std::size_t i = 0; i < text_.size(); i = end_of_line(i) + 1) {
      if (text_[i] == '%') return refuse_at(i, "a directive (%) is not allowed. Remove this line");
      const std::size_t first = text_.find_first_not_of(" \r", i);
      if (first == kNone || (text_[first] != '\n' && text_[first] != '#')) return true;
    }
    return true;
  }

  // A rough lexer. It may miss nesting, which the parser's events then refuse, but what it refuses
  // has too many levels or parts for certain, up to brackets in folded plain text.
  bool check_structure() {
    std::size_t depth = 0;
    std::size_t parts = 0;
    bool fresh = true;  // a token may begin here
    std::size_t quoted = 0;
    std::size_t word = 0;  // bytes of plain text without a blank
    std::size_t i = 0;
    while (i < text_.size()) {
      const char c = text_[i];
      const bool before_blank = std::string_view(" \n\r\0", 4).find(at(i + 1)) != kNone;
      if (c == '\n' || c == ' ' || c == '\r') {
        fresh = fresh || c == '\n';
        word = 0;
        ++i;
        continue;
      }
      if (c == '#' && (i == 0 || text_[i - 1] == ' ' || text_[i - 1] == '\n')) {
        i = end_of_line(i);
        continue;
      }
      if (fresh && (c == '"' || c == '\'')) {
        i = std::min(closing_quote(text_, i), text_.size() - 1) + 1;
        if (++quoted > kMaxConfigNodes) return refuse_at(i - 1, too_many());
        continue;
      }
      if (fresh && depth == 0 && (c == '|' || c == '>')) {
        i = end_of_block_scalar(i);
        continue;
      }
      if (fresh && (c == '&' || c == '*' || c == '!')) {
        i = std::min(text_.find_first_of(" \n", i), text_.size());
        if (++parts > kMaxConfigNodes) return refuse_at(i - 1, too_many());
        continue;
      }
      const bool in_flow = depth > 0;
      if ((c == '[' || c == '{') && (fresh || in_flow)) {
        if (++depth > kMaxConfigDepth) {
          return refuse_at(i, concat("nested deeper than ", kMaxConfigDepth, " levels"));
        }
        fresh = true;
      } else if ((c == ']' || c == '}') && in_flow) {
        --depth;
        fresh = false;
      } else if ((c == ',' && in_flow) || (c == ':' && before_blank)) {
        ++parts;
        fresh = true;
      } else if (fresh && (c == '-' || c == '?') && before_blank) {
        ++parts;
      } else {
        fresh = false;
        ++word;
        if (word > kMaxWord) {
          return refuse_at(i, concat("more than ", kMaxWord, " bytes without a blank. Quote them"));
        }
        ++i;
        continue;
      }
      word = 0;
      if (parts > kMaxConfigNodes) return refuse_at(i, too_many());
      ++i;
    }
    return true;
  }

  static std::string too_many() { return concat("more than ", kMaxConfigNodes, " values"); }
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  std::size_t end_of_line(std::size_t i) const {
    return std::min(text_.find('\n', i), text_.size());
  }

  // The text of a block scalar is every following line that is empty or indented deeper than the
  // key or dash it belongs to.
  std::size_t end_of_block_scalar(std::size_t indicator) const {
    const std::size_t newline = text_.rfind('\n', indicator);
    const std::size_t line = newline == kNone ? 0 : newline + 1;
    std::size_t parent = 0;  // column + 1 of the key or dash; 0: none
    std::size_t i = text_.find_first_not_of(' ', line);
    while (text_[i] == '-' && at(i + 1) == ' ') {
      parent = i - line + 1;
      i = text_.find_first_not_of(' ', i + 1);
    }
    if (i != indicator) parent = i - line + 1;
    for (i = end_of_line(indicator); i < text_.size(); i = end_of_line(i + 1)) {
      const std::size_t first = text_.find_first_not_of(' ', i + 1);
      const bool blank = first == kNone || text_[first] == '\n' || text_[first] == '\r';
      if (!blank && first - (i + 1) < parent) return i;
    }
    return text_.size();
  }

  std::string_view text_;
  const Mark& origin_;
  ErrorList& errors_;
};

}  // namespace

std::size_t closing_quote(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  std::size_t i = begin + 1;
  while (i < text.size()) {
    if (quote == '"' && text[i] == '\\') {
      i += 2;
    } else if (text[i] != quote) {
      ++i;
    } else if (quote == '\'' && i + 1 < text.size() && text[i + 1] == quote) {
      i += 2;
    } else {
      return i;
    }
  }
  return kNone;
}

std::size_t first_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return kNone;
}

bool check_yaml_surface(std::string_view text, const Mark& origin, ErrorList& errors) {
  return SurfaceCheck(text, origin, errors).run();
}

}  // namespace pretrain
