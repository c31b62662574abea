#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace pretrain {

/// Words as symbols, each with its count: what merges are learned from.
struct SymbolWords {
  std::vector<std::uint32_t> symbols;  ///< of all words, one after the other
  std::vector<std::size_t> begins;     ///< of each word in `symbols`, and the end of the last
  std::vector<std::uint64_t> counts;
};

struct MergeOptions {
  std::size_t vocab_size = 0;          ///< tokens to reach, the first symbols included
  std::uint64_t min_count = 2;         ///< pairs seen less often are not merged
  std::string continuing_prefix = {};  ///< "##": taken off the second token when two are joined
  /// Told the size of the vocabulary now and then; may throw to end the work. May be empty.
  std::function<void(std::size_t)> progress = {};
};

struct LearnedMerges {
  std::vector<std::string> vocabulary;  ///< the first symbols, then the new tokens
  /// Ids of two tokens that become one, in the order of learning. There may be more of them than
  /// new tokens: two merges may give the same text.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> merges;
};

/// Byte-pair encoding (Sennrich et al. 2016): again and again the pair of neighbours with the
/// highest count becomes a token, until there are vocab_size tokens or no pair is frequent enough.
/// Of pairs of equal count the one with the smaller first id comes first, then the smaller second
/// one: the rule of Hugging Face's BpeTrainer, whose merges these are. So is this: the count of a
/// pair that was merged is kept, and if later merges form the pair anew, those are added to it.
///
/// Time follows the occurrences that change, not the text: each list of occurrences is kept exact.
/// Memory is about 24 bytes a symbol and 40 a distinct pair. Throws kBadData for 2^32 symbols or
/// more.
LearnedMerges learn_merges(const SymbolWords& words, std::vector<std::string> first_symbols,
                           const MergeOptions& options);

}  // namespace pretrain
