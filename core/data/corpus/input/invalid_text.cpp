#include "core/data/corpus/input/invalid_text.h"

#include <charconv>
#include <optional>

#include "core/base/error.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the ill-formed part at the start of `text`: as many bytes as a well-formed sequence may
// begin with (table 3-7), at least one.
std::size_t ill_formed_length(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const int lead = byte(0);
  if (lead < 0xE0 || lead > 0xF4) return 1;
  const int low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const int high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 1;
  return lead >= 0xF0 && (byte(2) & 0xC0) == 0x80 ? 3 : 2;
}

// Code unit of the escape \uXXXX at `at`.
std::optional<unsigned> escaped_unit(std::string_view json, std::size_t at) {
  if (at + 6 > json.size() || json[at] != '\\' || json[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  const char* begin = json.data() + at + 2;
  const auto [end, error] = std::from_chars(begin, begin + 4, unit, 16);
  if (error != std::errc() || end != begin + 4) return std::nullopt;
  return unit;
}

}  // namespace

InvalidText invalid_text_from(const std::string& word) {
  if (word == "error") return InvalidText::kError;
  if (word == "replace") return InvalidText::kReplace;
  if (word == "skip") return InvalidText::kSkip;
  fail(ExitCode::kUsage, "--invalid ", word, " is not known. Known: error, replace, skip");
}

std::uint64_t replace_invalid_utf8(std::string& text) {
  std::uint64_t replaced = 0;
  std::string fixed;
  std::string_view rest = text;
  while (const auto bad = find_invalid_utf8(rest)) {
    fixed += rest.substr(0, *bad);
    fixed += kReplacement;
    rest.remove_prefix(*bad);
    rest.remove_prefix(ill_formed_length(rest));
    ++replaced;
  }
  if (replaced == 0) return 0;
  fixed += rest;
  text = std::move(fixed);
  return replaced;
}

std::uint64_t replace_lone_surrogates(std::string& json) {
  std::uint64_t replaced = 0;
  for (std::size_t at = json.find('\\'); at != std::string::npos; at = json.find('\\', at)) {
    const auto unit = escaped_unit(json, at);
    if (!unit) {
      at += 2;  // another escape, which may be of a backslash
      continue;
    }
    if (*unit >= 0xD800 && *unit <= 0xDBFF) {
      const auto low = escaped_unit(json, at + 6);
      if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
        at += 12;
        continue;
      }
    }
    if (*unit >= 0xD800 && *unit <= 0xDFFF) {
      json.replace(at + 2, 4, "FFFD");
      ++replaced;
    }
    at += 6;
  }
  return replaced;
}

}  // namespace pretrain
