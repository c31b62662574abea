#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/text/model/byte_pair/merge_table.h"
#include "core/text/model/text_model.h"
#include "core/text/split/split_pattern.h"

namespace pretrain {

struct BpeOptions {
  /// Tokens are written in byte symbols (core/text/tokenizer_json.h); a word is any bytes.
  bool byte_level = false;
  std::string unknown = "";    ///< token of characters that are none; "": there is none
  bool fuse_unknown = false;   ///< neighbouring unknown characters are one token
  bool byte_fallback = false;  ///< they become tokens "<0x00>" to "<0xFF>" instead, where all exist
  bool ignore_merges = false;  ///< a word that is a token stays whole, whatever the merges say
  std::string prefix = "";     ///< begins the symbols that continue a word
  std::string suffix = "";     ///< ends the symbol that ends a word
  std::vector<std::uint32_t> reserved = {};  ///< ids that text never becomes
};

/// Byte-pair encoding of words from their characters, or bytes, upwards. `vocabulary`: texts in the
/// order of their ids; the merges in the order of their ranks; `place` names both in messages.
/// Throws kBadData naming the entry that is given twice, no UTF-8, or does not fit; also where
/// tokens or merges are more than MergeTable takes. Ids as `tokenizers` gives them, except that a
/// character without any token is refused where that drops it.
std::unique_ptr<TextModel> make_bpe(std::vector<std::string> vocabulary,
                                    const std::vector<BpeMerge>& merges, const BpeOptions& options,
                                    const std::string& place);

/// Byte-level BPE with a token for each byte and without unknown, prefix and suffix: any bytes can
/// be encoded. Each thread keeps a cache of the words it met, of kCacheBytes.
class ByteLevelBpe : public TextModel {
 public:
  static constexpr std::size_t kCacheBytes = std::size_t{4} << 20;

  /// Appends the ids of a whole text, cut into words by `pattern`: what a tokenizer with that
  /// pre-tokenizer and no normalizer gives, in one pass.
  virtual void encode_text(const SplitPattern& pattern, std::string_view text,
                           std::vector<std::uint32_t>& ids) const = 0;
};

/// `model`, if it is one that can encode whole texts, else nullptr.
const ByteLevelBpe* as_byte_level_bpe(const TextModel& model);

}  // namespace pretrain
