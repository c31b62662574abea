#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/text/unicode/general_category.h"
#include "core/text/unicode/utf8_decode.h"

namespace pretrain {

/// Steps over runs of code points of one kind. Each byte that is part of no well-formed sequence
/// counts as an unassigned code point: it is no letter, number, mark or white space. Borrows the
/// text.
class CodePointScanner {
 public:
  explicit CodePointScanner(std::string_view text)
      : kinds_(category_table()), end_(text.data() + text.size()) {}

  /// A code point: its kind (see category_table()) and its bytes.
  struct Unit {
    std::uint8_t kind;
    std::uint8_t length;
    bool is(CategorySet set) const { return in_set(set, kind); }
  };

  const char* end() const { return end_; }
  bool has(const char* at, char byte) const { return at < end_ && *at == byte; }

  /// The code point at `at` < end().
  Unit unit(const char* at) const {
    const auto lead = static_cast<unsigned char>(*at);
    if (lead < 0x80) return {kinds_[lead], 1};
    std::uint32_t code_point = 0;
    const unsigned length = decode_utf8(at, end_, code_point);
    if (length == 0) return {static_cast<std::uint8_t>(GeneralCategory::kCn), 1};
    return {kinds_[code_point], static_cast<std::uint8_t>(length)};
  }

  bool is(CategorySet set, const char* at) const { return at < end_ && unit(at).is(set); }

  /// Behind the run of code points of `set` at `at`, of at most `most` of them.
  const char* skip(CategorySet set, const char* at, unsigned most = ~0u) const {
    while (at < end_ && most-- > 0) {
      const Unit next = unit(at);
      if (!next.is(set)) break;
      at += next.length;
    }
    return at;
  }

  /// skip(), where the run is most often of ASCII letters, which are all in `set`.
  const char* skip_word(CategorySet set, const char* at) const {
    return skip(set, skip_bytes<0x20>(at));
  }
  /// skip(), where the run is most often of ASCII small letters, which are all in `set`.
  const char* skip_small_letters(CategorySet set, const char* at) const {
    return skip(set, skip_bytes<0>(at));
  }

 private:
  // Behind the run of bytes that, with the bits of kCase set, are small ASCII letters: eight at a
  // time, as it is the inner loop for most text. May stop early near the end of the text.
  template <std::uint8_t kCase>
  const char* skip_bytes(const char* at) const {
    constexpr std::uint64_t kOnes = 0x0101010101010101u;
    constexpr std::uint64_t kHigh = kOnes * 0x80;
    static_assert(std::endian::native == std::endian::little);
    while (end_ - at >= 8) {
      std::uint64_t bytes = 0;
      std::memcpy(&bytes, at, 8);
      const std::uint64_t low = (bytes | kOnes * kCase) & ~kHigh;
      const std::uint64_t from_a = low + kOnes * (0x80 - 'a');
      const std::uint64_t behind_z = low + kOnes * (0x80 - 'z' - 1);
      const std::uint64_t others = (~from_a | behind_z | bytes) & kHigh;
      if (others != 0) return at + std::countr_zero(others) / 8;
      at += 8;
    }
    return at;
  }

  const std::uint8_t* kinds_;
  const char* end_;
};

}  // namespace pretrain
