#include "core/text/unicode/lower_case.h"

#include <utf8proc.h>

#include <array>

#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

struct CasePairs {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t lower;  // of `first`; the others follow
};

// Unicode 16 and 17: utf8proc 2.8 has the data of version 15.
constexpr std::array<CasePairs, 10> kNewPairs = {{{0x1C89, 0x1C89, 0x1C8A},
                                                  {0xA7CB, 0xA7CB, 0x0264},
                                                  {0xA7CC, 0xA7CC, 0xA7CD},
                                                  {0xA7CE, 0xA7CE, 0xA7CF},
                                                  {0xA7D2, 0xA7D2, 0xA7D3},
                                                  {0xA7D4, 0xA7D4, 0xA7D5},
                                                  {0xA7DA, 0xA7DA, 0xA7DB},
                                                  {0xA7DC, 0xA7DC, 0x019B},
                                                  {0x10D50, 0x10D65, 0x10D70},
                                                  {0x16EA0, 0x16EB8, 0x16EBB}}};

}  // namespace

void append_lower_case(std::uint32_t code_point, std::string& text) {
  if (code_point < 0x80) {
    const bool is_upper = code_point >= 'A' && code_point <= 'Z';
    text.push_back(static_cast<char>(is_upper ? code_point + ('a' - 'A') : code_point));
    return;
  }
  if (code_point == 0x130) {
    text += "i\u0307";
    return;
  }
  for (const CasePairs& pairs : kNewPairs) {
    if (code_point < pairs.first || code_point > pairs.last) continue;
    return append_utf8(pairs.lower + (code_point - pairs.first), text);
  }
  const auto lower = utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point));
  append_utf8(static_cast<std::uint32_t>(lower), text);
}

}  // namespace pretrain
