#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/text/token_roles.h"
#include "core/text/tokenizer.h"

namespace pretrain {

/// What a tokenizer is and what came of trying it out, for `pretrain tokenizer verify`.
struct TokenizerReport {
  std::string model;                                       ///< BPE, WordPiece, ...
  std::vector<std::pair<std::string, std::string>> parts;  ///< {"normalizer", "Sequence(NFC, ..)"}
  std::int64_t vocab_size = 0;
  std::vector<std::pair<std::uint32_t, std::string>> specials;  ///< id and text, ascending
  TokenRoles roles;
  std::string sha256;
  std::size_t texts = 0;              ///< tried
  std::size_t returned = 0;           ///< of them: decode(encode(text)) == text
  std::size_t refused = 0;            ///< of them: encode threw kBadData
  std::size_t tokens = 0;             ///< that the texts gave
  std::size_t unknown = 0;            ///< of them: the unknown token
  std::vector<std::string> problems;  ///< broken promises, a line each; empty: all is well
};

/// Describes `tokenizer` and encodes built-in texts of many scripts, ill-formed UTF-8 among them.
/// Promises: every id is below vocab_size and not special, but for the unknown token; encode and
/// encode_with_spans give the same ids; spans lie in the text and never fall back; the tokenizer
/// read back from to_json() has the same digest, ids and decoded text.
TokenizerReport check_tokenizer(const Tokenizer& tokenizer);

/// True if well-formed texts that `tokenizer` encodes come back byte for byte, as far as the same
/// built-in texts tell: only then do bits per byte speak of the text itself.
bool is_lossless(const Tokenizer& tokenizer);

}  // namespace pretrain
