#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace pretrain {

/// Ids of the special tokens that objectives ask for; -1: the tokenizer has none in that role. Each
/// role goes to the first of its texts that is a special token. One token may have several roles:
/// `<s>` is cls where there is no `[CLS]`, and bos.
struct TokenRoles {
  std::int64_t eos = -1;   ///< Tokenizer::eos_id()
  std::int64_t pad = -1;   ///< `[PAD]`, `<pad>`, `<|pad|>`, `<|finetune_right_pad_id|>`
  std::int64_t unk = -1;   ///< Tokenizer::unk_id()
  std::int64_t cls = -1;   ///< `[CLS]`, `<cls>`, `<s>`
  std::int64_t sep = -1;   ///< `[SEP]`, `<sep>`, `</s>`
  std::int64_t mask = -1;  ///< `[MASK]`, `<mask>`
  std::int64_t bos = -1;   ///< `<s>`, `<bos>`, `[BOS]`, `<|begin_of_text|>`, `<|startoftext|>`
  std::int64_t fim_prefix = -1;  ///< `<|fim_prefix|>`, `<fim_prefix>`
  std::int64_t fim_middle = -1;  ///< `<|fim_middle|>`, `<fim_middle>`
  std::int64_t fim_suffix = -1;  ///< `<|fim_suffix|>`, `<fim_suffix>`
  /// `<extra_id_0>`, `<extra_id_1>`, ... up to the first that is missing; [i] is number i.
  std::vector<std::int64_t> sentinels;
};

/// The roles of a tokenizer's special tokens, found by their usual texts.
TokenRoles token_roles(const Tokenizer& tokenizer);

/// Id of the token that closes documents, by its usual texts: `<|endoftext|>`, `<|end_of_text|>`,
/// `</s>`, `<eos>`, `[EOS]`, `[SEP]`; -1 if none of them is special. `id_of` as in Tokenizer.
std::int64_t usual_eos(const std::function<std::optional<std::uint32_t>(std::string_view)>& id_of);

}  // namespace pretrain
