#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/text/tokenizer.h"

namespace pretrain {

/// Text of token ids where they stand: what a token reads as depends on those before it (the blank
/// of a word's first piece, the bytes of one character). Sentinels are written out as
/// `<extra_id_0>`, other special tokens give nothing. Borrows the tokenizer.
class TokenText {
 public:
  explicit TokenText(const Tokenizer& tokenizer);

  /// Throws kBadData for an id out of range.
  std::string decode(const std::vector<std::int64_t>& ids) const;
  /// What `ids` add to the text of `before`.
  std::string after(const std::vector<std::int64_t>& before,
                    const std::vector<std::int64_t>& ids) const;

 private:
  const Tokenizer& tokenizer_;
  std::map<std::int64_t, std::string> shown_;  // sentinels
};

/// Text of tokens that come one at a time, as far as it cannot change any more: the beginning of a
/// character waits for its end. Borrows the TokenText. Not thread-safe.
class TokenStream {
 public:
  /// `before`: the tokens that the stream goes on from; their text is not given again.
  TokenStream(const TokenText& text, const std::vector<std::int64_t>& before);

  /// What is now certain, often one token's text, sometimes "".
  std::string push(std::int64_t id);
  /// What still waits.
  std::string finish();

 private:
  std::string give(const std::string& all, std::size_t certain);
  void forget();

  const TokenText& text_;
  std::vector<std::int64_t> window_;  // the last tokens: enough to know how the next one reads
  std::string given_;                 // text of the window, as far as it was given
};

}  // namespace pretrain
