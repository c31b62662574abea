#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/text/training/word_counts.h"

namespace pretrain {

/// What `pretrain tokenizer train` is asked to make.
struct TrainingOptions {
  std::string kind = "bpe";     ///< one of trainable_kinds()
  std::size_t vocab_size = 0;   ///< ids, specials included; 0: the kind's usual size
  std::uint64_t min_count = 2;  ///< of words that become tokens, of pairs that are merged
  bool lowercase = false;       ///< text is made lower case, in training and later
  std::string split = "gpt2";   ///< bpe: a name of split_pattern_names(), or none
  std::vector<std::string> specials = {};  ///< further ones; those of the kind are always there
  std::size_t max_characters = 0;          ///< of the alphabet; 0: the kind's usual number
  bool byte_fallback = false;              ///< unigram: bytes for characters that are no tokens
  unsigned threads = 1;
};

/// What a kind is, for help pages.
struct TrainableKind {
  const char* name;
  const char* summary;
  std::size_t usual_vocab_size;  ///< 0: as many tokens as there are
};
const std::vector<TrainableKind>& trainable_kinds();

/// Told the phase, and how far it is: `done` of `total` in steps of that phase. May throw to end
/// the work. May be empty.
using TrainingProgress =
    std::function<void(const char* phase, std::uint64_t done, std::uint64_t total)>;

struct TrainedTokenizer {
  std::string json;             ///< text of its tokenizer.json
  std::int64_t vocab_size = 0;  ///< smaller than asked for where the text gives no more
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;    ///< of the documents
  std::uint64_t words = 0;    ///< different ones
  std::uint64_t dropped = 0;  ///< places of words that were not counted, see CountingLimits
};

/// Learns a tokenizer from documents. The same documents and options give the same text for any
/// number of threads. Throws kUsage for options that do not go together: an unknown kind or split,
/// a vocabulary that has no room for the alphabet and the specials, a special that is empty, given
/// twice, or an ordinary token; kBadData for documents without a word; what `next` throws.
TrainedTokenizer train_tokenizer(const TrainingOptions& options, const DocumentSource& next,
                                 const TrainingProgress& progress = {});

}  // namespace pretrain
