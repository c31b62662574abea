#pragma once

#include <array>
#include <memory>

#include "core/text/model/bpe.h"
#include "core/text/model/trie_vocabulary.h"

namespace pretrain {

/// The ids of the byte symbols, nullopt if one is no token or reserved.
std::optional<std::array<std::uint32_t, 256>> byte_ids(const TrieVocabulary& vocabulary);

/// A ByteLevelBpe of parts that were checked.
std::unique_ptr<ByteLevelBpe> make_byte_level_bpe(TrieVocabulary vocabulary, MergeTable merges,
                                                  const std::array<std::uint32_t, 256>& bytes,
                                                  bool ignore_merges);

}  // namespace pretrain
