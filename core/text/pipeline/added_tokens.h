#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/model/byte_trie.h"
#include "core/text/pipeline/normalizer.h"

namespace pretrain {

/// A token that is found in the text before the text is cut into words, or, if special, never.
struct AddedToken {
  std::uint32_t id = 0;
  std::string content = {};
  bool single_word = false;  ///< only where no word character touches it
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space behind it along
  bool normalized = false;   ///< sought, normalized itself, in the normalized text
  bool special = false;
  /// What decode writes: the content, normalized if it is sought so (as `tokenizers`). Set by
  /// AddedTokens.
  std::string decoded = {};
};

/// A part of a text: an added token, or text between two of them.
struct TextSection {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::optional<std::uint32_t> id = {};
  bool operator==(const TextSection&) const = default;
};

/// The added tokens of a tokenizer. Special ones take part in the search, so that they hide what
/// overlaps them as in `tokenizers` with `encode_special_tokens`, but their text stays text.
/// Immutable after construction; safe to share between threads.
class AddedTokens {
 public:
  /// `tokens` in the order in which they were added. Throws kBadData naming a token that is not
  /// special and becomes nothing when normalized. `normalizer` may be null.
  AddedTokens(std::vector<AddedToken> tokens, const Normalizer* normalizer);
  AddedTokens(const AddedTokens&) = delete;  // its maps point into it
  AddedTokens& operator=(const AddedTokens&) = delete;

  const std::vector<AddedToken>& tokens() const { return tokens_; }
  const AddedToken* find_id(std::uint32_t id) const;  ///< null if it is none
  /// Whether sections() can find anything, for tokens sought before (false) or after normalization.
  bool any(bool normalized) const { return !finders_[normalized ? 1 : 0].tokens.empty(); }
  /// The sections of `text`, well-formed UTF-8, in order, none empty.
  std::vector<TextSection> sections(std::string_view text, bool normalized) const;

 private:
  struct Finder {
    std::vector<const AddedToken*> tokens;  // by the values of the trie; empty: nothing to find
    std::unique_ptr<ByteTrie> trie;
  };
  std::vector<AddedToken> tokens_;
  std::map<std::uint32_t, const AddedToken*> of_id_;
  Finder finders_[2];  // before and after normalization
};

}  // namespace pretrain
