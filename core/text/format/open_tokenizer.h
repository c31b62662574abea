#pragma once

#include <memory>
#include <string>

#include "core/text/tokenizer.h"

namespace pretrain {

/// The tokenizer that `name` stands for:
/// - `byte`;
/// - a tokenizer.json, of any file name;
/// - a SentencePiece `.model`;
/// - a rank file of tiktoken, `NAME.tiktoken`: a word of NAME tells the pattern that cuts text
///   (`cl100k_base.tiktoken`); `<|endoftext|>` gets the id it has in tiktoken, or the next one;
/// - a `vocab.txt`, of any file name that ends so, lower-casing unless a tokenizer_config.json
///   beside it says `do_lower_case: false`;
/// - a folder with one of: tokenizer.json; vocab.json and merges.txt; vocab.txt; tokenizer.model or
///   spiece.model; one rank file.
/// Throws kIo if it cannot be read, kBadData naming what is wrong in it.
std::unique_ptr<Tokenizer> open_tokenizer(const std::string& name);

}  // namespace pretrain
