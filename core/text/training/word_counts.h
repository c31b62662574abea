#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pretrain {

/// Replaces `document` by the next one; false at the end.
using DocumentSource = std::function<bool(std::string& document)>;
/// Calls `use` with each word of a document, in order. Called by many threads at a time.
using WordSplitter = std::function<void(std::string_view document,
                                        const std::function<void(std::string_view)>& use)>;

/// The distinct words of a text and how often each stands in it, ascending by their bytes. May be
/// moved, not copied: the words are views.
struct WordCounts {
  WordCounts() = default;
  WordCounts(WordCounts&&) = default;
  WordCounts& operator=(WordCounts&&) = default;
  struct Word {
    std::string_view text;  ///< in `characters`
    std::uint64_t count = 0;
  };
  std::vector<Word> words;
  std::vector<char> characters;
  std::uint64_t documents = 0;
  std::uint64_t document_bytes = 0;
  std::uint64_t total = 0;    ///< words of the text
  std::uint64_t dropped = 0;  ///< of them: not counted for want of memory
};

struct CountingLimits {
  unsigned threads = 1;
  /// Words kept at the end of a round. Where there are more, the rarest are dropped until half of
  /// it is left: what they counted so far is lost, as in counting with any bounded memory.
  std::size_t max_words = std::size_t{8} << 20;
  /// Text of a round in bytes. Memory is that of max_words, of the words of a round, and of a few
  /// documents a thread: up to about 2 GiB with these numbers, 0.1 GiB for a language's usual text.
  std::uint64_t round_bytes = std::uint64_t{64} << 20;
};

/// Counts the words of all documents. `next` is called under a lock, by any of the threads; all of
/// them split and count. The result does not depend on their number. Throws what `next` and `split`
/// throw; after that `next` is not called again.
WordCounts count_words(const DocumentSource& next, const WordSplitter& split,
                       const CountingLimits& limits);

}  // namespace pretrain
