#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/text/pipeline/pre_tokenizer.h"
#include "core/text/pipeline/word_matcher.h"

namespace pretrain {

/// Which words Metaspace puts its mark in front of.
enum class PrependScheme { kAlways, kNever, kFirst };

/// Splits at white space, which is dropped, and around each punctuation character (as BERT).
std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer();

/// Puts a blank in front of each word that does not begin with one, if `add_prefix_space`; cuts the
/// words by `splitter`, if it is not null, each match and what lies between them a word; writes
/// each byte as its symbol (byte_symbol), if `symbols`: a byte-level model takes the bytes instead.
std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space,
                                              std::unique_ptr<WordMatcher> splitter, bool symbols);

/// Writes `mark` for each blank and, following `scheme`, in front of the words that do not begin
/// with it (kFirst: only in front of the start of the whole text); with `split`, each mark begins a
/// word.
std::unique_ptr<PreTokenizer> make_metaspace(std::string mark, PrependScheme scheme, bool split);

/// One after the other.
std::unique_ptr<PreTokenizer> make_pre_tokenizer_sequence(
    std::vector<std::unique_ptr<PreTokenizer>> parts);

}  // namespace pretrain
