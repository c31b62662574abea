#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pretrain {

/// The replacements of a SentencePiece normalizer (`precompiled_charsmap`): a double array as the
/// library Darts-clone lays it out, and the texts that its values point to. Immutable.
class Charsmap {
 public:
  /// `bytes`: size of the array in bytes (u32), the array (u32 each; all little-endian), the texts,
  /// each ending with NUL; empty: a map without replacements. Throws kBadData, naming `place`, if
  /// the parts do not fit together, or the array leads out of itself or to no text.
  Charsmap(std::string_view bytes, const std::string& place);

  /// The replacement of the shortest beginning of `text` that has one.
  std::optional<std::string_view> replacement(std::string_view text) const;

 private:
  void check(const std::string& place) const;
  std::string_view text_at(std::uint32_t begin) const;
  std::vector<std::uint32_t> units_;
  std::string texts_;
};

}  // namespace pretrain
