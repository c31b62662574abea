#pragma once

#include <cstdint>
#include <vector>

#include "core/text/tokenizer.h"

namespace pretrain {

/// Ids of the special tokens that objectives ask for; -1: the tokenizer has none in that role. One
/// token may have several roles: `<s>` is cls where there is no `[CLS]`, and bos.
struct TokenRoles {
  std::int64_t eos = -1;         ///< Tokenizer::eos_id()
  std::int64_t pad = -1;         ///< `[PAD]`, else `<pad>`
  std::int64_t cls = -1;         ///< `[CLS]`, else `<s>`
  std::int64_t sep = -1;         ///< `[SEP]`, else `</s>`
  std::int64_t mask = -1;        ///< `[MASK]`, else `<mask>`
  std::int64_t bos = -1;         ///< `<s>`, else `<|startoftext|>`
  std::int64_t fim_prefix = -1;  ///< `<|fim_prefix|>`
  std::int64_t fim_middle = -1;  ///< `<|fim_middle|>`
  std::int64_t fim_suffix = -1;  ///< `<|fim_suffix|>`
  /// `<extra_id_0>`, `<extra_id_1>`, ... up to the first that is missing; [i] is number i.
  std::vector<std::int64_t> sentinels;
};

/// The roles of a tokenizer's special tokens, found by their usual texts.
TokenRoles token_roles(const Tokenizer& tokenizer);

}  // namespace pretrain
