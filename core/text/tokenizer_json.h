#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/json/json_reader.h"
#include "core/text/tokenizer.h"

namespace pretrain {

/// What the tokenizer.json of a BPE model without merges says.
struct PlainBpe {
  std::vector<std::string> vocabulary;     ///< token texts; the index is the id
  bool byte_level = false;                 ///< tokens are byte symbols, else characters
  std::vector<std::string> specials = {};  ///< follow; `<|endoftext|>` is the first, if it is one
  bool has_marks = true;  ///< a post-processor puts [CLS] and [SEP] round a text, if they are there
};

/// The character that stands for a byte in byte-level vocabularies, in UTF-8: printable Latin-1
/// bytes stand for themselves, the others for U+0100 upwards (as in GPT-2's encoder.json).
std::string byte_symbol(unsigned char byte);

/// The symbols of the bytes 0 to 255.
std::vector<std::string> byte_symbols();

/// The tokenizer.json text, with the keys and defaults that Hugging Face's tokenizers writes.
std::string write_tokenizer_json(const PlainBpe& bpe);

/// The byte or char tokenizer that writes this tokenizer.json; null if neither does: the file is of
/// another kind. Members that have the value we would write may be left out.
std::unique_ptr<Tokenizer> read_plain_bpe(const JsonValue& root);

}  // namespace pretrain
