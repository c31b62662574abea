#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/text/model/byte_pair/merge_table.h"

namespace pretrain {

/// What defines a byte-level BPE tokenizer.
struct ByteLevelParts {
  std::vector<std::string> vocabulary = {};  ///< texts in byte symbols, by id
  std::vector<BpeMerge> merges = {};         ///< in the order of their ranks
  bool ignore_merges = false;                ///< a word that is a token stays whole
  std::string split = "gpt2";                ///< a name of split_pattern_names()
  /// Special tokens with their ids: in the vocabulary with that id, or behind it.
  std::vector<std::pair<std::string, std::uint32_t>> specials = {};
};

/// The tokenizer.json text, with the keys and defaults that Hugging Face's tokenizers writes.
std::string byte_level_tokenizer_json(const ByteLevelParts& parts);

}  // namespace pretrain
