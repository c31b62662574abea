#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/text/token_roles.h"
#include "core/text/token_text.h"
#include "launch/hugging_face/exported_model.h"

namespace pretrain {

/// Text to token ids and back as a prompt means it: special tokens written out, like [MASK] or
/// <extra_id_0>, are those tokens. Borrows the model's tokenizer.
class PromptText {
 public:
  /// Throws kBadData if the checkpoint's tokenizer is of a kind we do not read.
  explicit PromptText(const LoadedModel& loaded);

  std::vector<std::int64_t> encode(const std::string& text) const;
  /// The same between [CLS] and [SEP], where the tokenizer has them and data.wrap is not none.
  std::vector<std::int64_t> encoder_row(const std::string& text) const;
  /// The same behind the token that opens texts (`<s>`): of decoders trained with data.wrap
  /// bos_eos, and of imported ones whose tokenizer puts it there.
  std::vector<std::int64_t> decoder_row(const std::string& text) const;
  /// Ids back to text.
  const TokenText& text() const { return text_; }

  /// True if the ids stand for all of `text` and nothing else: no special token is among them, and
  /// they give it back byte for byte.
  bool is_plain(const std::string& text, const std::vector<std::int64_t>& ids) const;

  /// Throws kBadData if the tokenizer has none.
  std::int64_t mask() const;
  const char* mask_text() const;
  std::int64_t cls() const { return roles_.cls; }
  std::int64_t sep() const { return roles_.sep; }
  /// What ends a text: the closing token of T5's kind, else the end of documents; -1: nothing.
  std::int64_t end() const { return end_; }
  /// What an encoder-decoder's text starts from: the padding token. Throws kBadData if the
  /// tokenizer has none.
  std::int64_t start() const;

 private:
  const Tokenizer& tokenizer_;
  TokenRoles roles_;
  std::int64_t end_;
  std::int64_t opening_ = -1;
  TokenText text_;
};

}  // namespace pretrain
