#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/digest.h"
#include "core/text/pipeline/normalizer.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {

/// What a normalizer makes of a text; checks that asking for origins changes nothing.
inline std::string normalized(const Normalizer& normalizer, const std::string& text) {
  NormalizedText plain(text, 0, false);
  normalizer.normalize(plain);
  NormalizedText with_origins(text, 0, true);
  normalizer.normalize(with_origins);
  return plain.text() == with_origins.text() ? plain.text() : "origins change the text";
}

/// The source bytes of each byte of what a normalizer makes of a text.
inline std::vector<TextSpan> origins(const Normalizer& normalizer, const std::string& text) {
  NormalizedText result(text, 0, true);
  normalizer.normalize(result);
  std::vector<TextSpan> spans;
  for (std::size_t i = 0; i < result.text().size(); ++i) spans.push_back(result.origin(i, i + 1));
  return spans;
}

/// SHA-256 of the results, joined, for "e", a scalar value, U+0301 and "a ": for each scalar value.
inline std::string digest_over_scalars(const Normalizer& normalizer) {
  std::string all;
  for (std::uint32_t c = 0; c <= kMaxCodePoint; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text = "e";
    append_utf8(c, text);
    NormalizedText result(text + "\u0301a ", 0, false);
    normalizer.normalize(result);
    all += result.text();
  }
  return sha256_hex(all);
}

}  // namespace pretrain
