#include "core/text/normalize/charsmap.h"

#include <cstddef>

#include "core/base/error.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr std::uint32_t kRoot = 0;
constexpr std::size_t kBlock = 256;
constexpr std::uint32_t kIsValue = 0x80000000u;

// The parts of a unit of Darts-clone.
bool has_value(std::uint32_t unit) { return ((unit >> 8) & 1) != 0; }
std::uint32_t value(std::uint32_t unit) { return unit & ~kIsValue; }
std::uint32_t label(std::uint32_t unit) { return unit & (kIsValue | 0xFF); }
std::uint32_t offset(std::uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); }

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 4; i-- > 0;) {
    number = (number << 8) | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

}  // namespace

Charsmap::Charsmap(std::string_view bytes, const std::string& place) {
  if (bytes.empty()) return;
  const auto refuse = [&](const auto&... what) {
    fail(ExitCode::kBadData, place, ": precompiled_charsmap: ", what...,
         ". The file is damaged: fetch it again");
  };
  if (bytes.size() < 4) refuse(bytes.size(), " bytes, expected at least 4");
  const std::uint64_t array_bytes = little_endian(bytes, 0);
  if (array_bytes % (4 * kBlock) != 0 || array_bytes == 0 || array_bytes > bytes.size() - 4) {
    refuse("a double array of ", array_bytes, " bytes in ", bytes.size(),
           ", expected a multiple of 1024 that fits in");
  }
  for (std::size_t at = 4; at < 4 + array_bytes; at += 4) {
    units_.push_back(little_endian(bytes, at));
  }
  texts_ = bytes.substr(4 + array_bytes);
  if (const auto bad = find_invalid_utf8(texts_)) {
    refuse("byte ", *bad, " of the replacements is not valid UTF-8");
  }
  if (texts_.empty() || texts_.back() != '\0') refuse("the last replacement does not end with NUL");
  check(place);
}

// Goes once to every unit that some text leads to; the array may have cycles.
void Charsmap::check(const std::string& place) const {
  std::vector<bool> seen(units_.size(), false);
  std::vector<std::uint32_t> open = {kRoot};
  const auto refuse = [&](const auto&... what) {
    fail(ExitCode::kBadData, place, ": precompiled_charsmap: unit ", what...,
         ". The file is damaged: fetch it again");
  };
  while (!open.empty()) {
    const std::uint32_t at = open.back();
    open.pop_back();
    const std::uint32_t unit = units_[at];
    const std::uint32_t children = at ^ offset(unit);
    // Blocks of 256 are complete, so the children of a unit are all in the array or none is.
    if (children >= units_.size()) refuse(at, " of ", units_.size(), " leads to ", children);
    if (at != kRoot && has_value(unit)) {
      const std::uint32_t begin = value(units_[children]);
      const bool is_text = begin < texts_.size() && (texts_[begin] & 0xC0) != 0x80;
      if (!is_text) refuse(children, " points to byte ", begin, " of ", texts_.size());
    }
    for (std::uint32_t byte = 1; byte < kBlock; ++byte) {
      const std::uint32_t child = children ^ byte;
      if (label(units_[child]) != byte || seen[child]) continue;
      seen[child] = true;
      open.push_back(child);
    }
  }
}

std::string_view Charsmap::text_at(std::uint32_t begin) const {
  const std::size_t end = texts_.find('\0', begin);
  return std::string_view(texts_).substr(begin, end - begin);
}

std::optional<std::string_view> Charsmap::replacement(std::string_view text) const {
  if (units_.empty()) return std::nullopt;
  std::uint32_t at = kRoot ^ offset(units_[kRoot]);
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) return std::nullopt;
    at ^= byte;
    const std::uint32_t unit = units_[at];
    if (label(unit) != byte) return std::nullopt;
    at ^= offset(unit);
    if (has_value(unit)) return text_at(value(units_[at]));
  }
  return std::nullopt;
}

}  // namespace pretrain
