#include "core/text/unicode/utf8.h"

#include <cstring>

#include "core/text/unicode/utf8_decode.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080u;

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// Whether the bytes could begin a well-formed sequence: completed by the least or by the greatest
// continuation bytes they would be one.
bool could_begin(std::string_view bytes) {
  for (const char filler : {'\x80', '\xBF'}) {
    char sequence[4] = {filler, filler, filler, filler};
    bytes.copy(sequence, sizeof sequence);
    std::uint32_t code_point = 0;
    if (decode_utf8(sequence, sequence + sizeof sequence, code_point) > bytes.size()) return true;
  }
  return false;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    // Eight ASCII bytes at a time: most text is ASCII.
    std::uint64_t word = kHighBits;
    if (i + sizeof word <= text.size()) std::memcpy(&word, text.data() + i, sizeof word);
    if ((word & kHighBits) == 0) {
      i += sizeof word;
      continue;
    }
    std::uint32_t code_point = 0;
    const unsigned length = decode_utf8(text.data() + i, text.data() + text.size(), code_point);
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

std::size_t ill_formed_length(std::string_view text, std::size_t offset) {
  std::size_t length = 1;
  while (length < 3 && offset + length < text.size() &&
         could_begin(text.substr(offset, length + 1))) {
    ++length;
  }
  return length;
}

std::uint32_t next_code_point(std::string_view text, std::size_t& offset) {
  const unsigned char lead = byte_at(text, offset++);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  std::uint32_t code_point = lead & (0x3Fu >> more);
  for (int k = 0; k < more; ++k) {
    code_point = (code_point << 6) | (byte_at(text, offset++) & 0x3Fu);
  }
  return code_point;
}

void append_utf8(std::uint32_t code_point, std::string& text) {
  const auto continuation = [&](int shift) {
    text.push_back(static_cast<char>(0x80 | ((code_point >> shift) & 0x3F)));
  };
  if (code_point < 0x80) {
    text.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    text.push_back(static_cast<char>(0xC0 | (code_point >> 6)));
    continuation(0);
  } else if (code_point < 0x10000) {
    text.push_back(static_cast<char>(0xE0 | (code_point >> 12)));
    continuation(6);
    continuation(0);
  } else {
    text.push_back(static_cast<char>(0xF0 | (code_point >> 18)));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

}  // namespace pretrain
