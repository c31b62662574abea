#pragma once

#include <string>
#include <vector>

namespace pretrain {

/// What the tokenizer.json of a BPE model without merges says.
struct PlainBpe {
  std::vector<std::string> vocabulary;     ///< token texts; the index is the id
  bool byte_level = false;                 ///< tokens are byte symbols, else characters
  std::vector<std::string> specials = {};  ///< follow; `<|endoftext|>` is the first, if it is one
};

/// The character that stands for a byte in byte-level vocabularies, in UTF-8: printable Latin-1
/// bytes stand for themselves, the others for U+0100 upwards (as in GPT-2's encoder.json).
std::string byte_symbol(unsigned char byte);

/// The tokenizer.json text, with the keys and defaults that Hugging Face's tokenizers writes.
std::string write_tokenizer_json(const PlainBpe& bpe);

}  // namespace pretrain
