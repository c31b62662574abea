#pragma once

#include <string>
#include <string_view>

#include "core/text/format/byte_level_json.h"

namespace pretrain {

/// Reads the pair of files that GPT-2 and RoBERTa come with: `vocab` is a JSON map from token texts
/// to ids, `merges` two texts a line, with a `#version` line or without. The tokens that are
/// neither the symbol of a byte nor the product of a merge become special tokens. The places name
/// the files in messages. Throws kBadData naming file and entry or line of what is broken; whether
/// merges fit the vocabulary is seen when the tokenizer is made.
ByteLevelParts read_vocab_and_merges(std::string_view vocab, const std::string& vocab_place,
                                     std::string_view merges, const std::string& merges_place);

}  // namespace pretrain
