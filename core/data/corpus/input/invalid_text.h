#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pretrain {

/// What happens to bytes that are not UTF-8, surrogates that stand alone in JSON, and records that
/// cannot be read.
enum class InvalidText {
  kError,    ///< the input is refused
  kReplace,  ///< each ill-formed part becomes U+FFFD; records that cannot be read are refused
  kSkip,     ///< the document is left out and counted, records that cannot be read as well
};

/// "error", "replace" or "skip". Throws kUsage for another word.
InvalidText invalid_text_from(const std::string& word);

/// Replaces each maximal ill-formed part of `text` (The Unicode Standard, section 3.9, "U+FFFD
/// Substitution of Maximal Subparts") by U+FFFD. Returns how many there were.
std::uint64_t replace_invalid_utf8(std::string& text);

/// Replaces each JSON escape \uD800 to \uDFFF of `json` that is no half of a pair by \uFFFD.
/// Returns how many there were.
std::uint64_t replace_lone_surrogates(std::string& json);

}  // namespace pretrain
