#pragma once

#include <cstdint>

namespace pretrain {

/// The sequence at the start of [at, end), which is not empty: returns its length and sets
/// `code_point`, or returns 0 if it is ill-formed (The Unicode Standard, table 3-7). Inline, for
/// loops over whole corpora.
inline unsigned decode_utf8(const char* at, const char* end, std::uint32_t& code_point) {
  const auto byte = [at](int k) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(at[k]));
  };
  const auto continues = [&byte](int k) { return (byte(k) & 0xC0) == 0x80; };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) {
    code_point = lead;
    return 1;
  }
  const auto length = end - at;
  if (lead < 0xE0) {
    if (lead < 0xC2 || length < 2 || !continues(1)) return 0;
    code_point = (lead & 0x1F) << 6 | (byte(1) & 0x3F);
    return 2;
  }
  if (lead < 0xF0) {
    if (length < 3 || !continues(1) || !continues(2)) return 0;
    code_point = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    const bool surrogate = code_point - 0xD800 < 0x800;
    return code_point < 0x800 || surrogate ? 0 : 3;
  }
  if (length < 4 || lead > 0xF4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  code_point =
      (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  return code_point - 0x10000 > 0xFFFFF ? 0 : 4;
}

}  // namespace pretrain
