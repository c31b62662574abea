#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/text/model/text_model.h"
#include "core/text/pipeline/added_tokens.h"
#include "core/text/pipeline/decoder.h"
#include "core/text/pipeline/normalizer.h"
#include "core/text/pipeline/pre_tokenizer.h"
#include "core/text/split/split_pattern.h"
#include "core/text/tokenizer.h"

namespace pretrain {

/// What a tokenizer is made of.
struct PipelineParts {
  std::unique_ptr<Normalizer> normalizer = {};       ///< may be null
  std::unique_ptr<PreTokenizer> pre_tokenizer = {};  ///< may be null: each text is one word
  std::unique_ptr<TextModel> model = {};
  std::unique_ptr<TokenDecoder> decoder = {};  ///< may be null: tokens are joined by blanks
  std::vector<AddedToken> added = {};          ///< in the order in which they were added
  std::optional<std::uint32_t> unknown = {};   ///< id of the model's unknown token
  bool bytes = false;                          ///< the model takes any bytes, not text
  /// Set where the pre-tokenizer does nothing but cut by this pattern: byte-level models then
  /// encode whole texts in one pass.
  std::optional<SplitPattern> pattern = {};
  bool prefix_space = false;  ///< with `pattern`: a blank first, unless there is one
  std::string json = {};      ///< the canonical tokenizer.json text of all this
};

/// A tokenizer made of parts, as in Hugging Face's `tokenizers`, with `encode_special_tokens`:
/// added tokens that are special are never recognised in text, the others are. Bytes that are no
/// UTF-8 are themselves for a model of bytes (normalizer and pre-tokenizer then pass them by);
/// for others each maximal ill-formed part becomes U+FFFD.
/// Special ids are the special added tokens and the unknown token; the latter may come out of
/// encode, and decode writes it unless it is an added special token. eos_id(): token_roles.h.
/// Throws kBadData as AddedTokens does.
std::unique_ptr<Tokenizer> make_pipeline_tokenizer(PipelineParts parts);

}  // namespace pretrain
