#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/model/byte_trie.h"

namespace pretrain {

/// The token texts of a model, by id and by text. Immutable; safe to share between threads.
class TrieVocabulary {
 public:
  /// `tokens` in the order of their ids; `reserved`: ids that text never becomes (special tokens).
  /// Throws kBadData, naming `place` and the entry, if there is no token, one is given twice or is
  /// no valid UTF-8, or a reserved id is out of range.
  TrieVocabulary(std::vector<std::string> tokens, const std::vector<std::uint32_t>& reserved,
                 const std::string& place);

  std::size_t size() const { return tokens_.size(); }
  const std::string& token(std::uint32_t id) const { return tokens_[id]; }
  std::optional<std::uint32_t> id_of(std::string_view token) const;
  /// The trie of all tokens; its values are ids.
  const ByteTrie& trie() const { return trie_; }
  bool is_reserved(std::uint32_t id) const { return reserved_[id] != 0; }

 private:
  std::vector<std::string> tokens_;
  std::vector<char> reserved_;
  ByteTrie trie_;
};

}  // namespace pretrain
