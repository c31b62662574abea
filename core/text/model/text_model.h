#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pretrain {

/// A token of a word: its id, and where its text ends.
struct WordToken {
  std::uint32_t id = 0;
  std::uint32_t end = 0;  ///< bytes of the word up to and with this token
  bool operator==(const WordToken&) const = default;
};

/// The vocabulary of a tokenizer and the rule that cuts one word (what normalizer and pre-tokenizer
/// left) into its tokens: BPE, WordPiece, Unigram, WordLevel. Special and added tokens are not its
/// business, but for one thing: the constructors take the ids of the special tokens that are in the
/// vocabulary (`reserved`), and encode gives none of them, so that no text can forge one. The
/// unknown token is never reserved. Immutable after construction; safe to share between threads.
class TextModel {
 public:
  virtual ~TextModel() = default;

  /// Number of tokens; their ids are 0 to size() - 1.
  virtual std::size_t size() const = 0;
  virtual std::optional<std::uint32_t> id_of(std::string_view token) const = 0;
  /// Text of a token as the vocabulary writes it ("##ing", "\u2581the"; of a byte-level model its
  /// symbols). `id` < size().
  virtual std::string_view token(std::uint32_t id) const = 0;
  /// Appends the ids of `word`. A byte-level model takes raw bytes, all others well-formed UTF-8.
  /// Throws kBadData if the word cannot be expressed and the vocabulary has no unknown token.
  virtual void encode(std::string_view word, std::vector<std::uint32_t>& ids) const = 0;
  /// The same with the end of each token in the bytes of `word`; slower, for offsets.
  virtual void encode_spans(std::string_view word, std::vector<WordToken>& tokens) const = 0;
};

}  // namespace pretrain
