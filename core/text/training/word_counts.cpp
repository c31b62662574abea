#include "core/text/training/word_counts.h"

#include <algorithm>
#include <mutex>

#include "core/base/parallel_for.h"
#include "core/text/training/word_table.h"

namespace pretrain {
namespace {

// Of one turn at the source: enough that threads seldom wait for each other.
constexpr std::uint64_t kTurnBytes = std::uint64_t{256} << 10;
// A word's part is chosen by its hash; the parts are joined in parallel.
constexpr std::size_t kParts = 16;

// The table's slots come from the low bits of the upper half of the hash.
std::size_t part_of(std::uint64_t hash) { return hash & (kParts - 1); }

class Counter {
 public:
  Counter(const DocumentSource& next, const WordSplitter& split, const CountingLimits& limits)
      : next_(next), split_(split), limits_(limits), tables_(std::max(limits.threads, 1U)) {}

  WordCounts run() {
    while (!ended_) {
      round_end_ = bytes_ + limits_.round_bytes;
      parallel_for(tables_.size(), limits_.threads,
                   [this](std::size_t thread) { count_turns(tables_[thread]); });
      parallel_for(kParts, limits_.threads, [this](std::size_t part) { join(part); });
      drop_rare_words();
    }
    return collect();
  }

 private:
  using Parts = std::vector<WordTable>;

  // A turn: takes documents under the lock, counts their words without it.
  void count_turns(Parts& parts) {
    parts.resize(kParts);
    std::vector<std::string> documents;
    while (true) {
      std::size_t taken = 0;
      {
        const std::lock_guard lock(mutex_);
        std::uint64_t bytes = 0;
        while (!ended_ && bytes_ < round_end_ && bytes < kTurnBytes) {
          if (documents.size() <= taken) documents.emplace_back();
          ended_ = true;  // if it throws
          ended_ = !next_(documents[taken]);
          if (ended_) break;
          bytes += documents[taken].size();
          bytes_ += documents[taken].size();
          ++taken;
        }
        documents_ += taken;
      }
      if (taken == 0) return;
      for (std::size_t i = 0; i < taken; ++i) {
        split_(documents[i], [&](std::string_view word) {
          const std::uint64_t hash = WordTable::hash_of(word);
          parts[part_of(hash)].add(word, hash, 1);
        });
      }
    }
  }

  void join(std::size_t part) {
    for (Parts& parts : tables_) {
      if (parts.empty()) continue;
      for (const WordTable::Entry& entry : parts[part].entries()) {
        const std::uint64_t hash = std::uint64_t{entry.hash} << 32U;
        joined_[part].add(parts[part].word(entry), hash, entry.count);
      }
      parts[part].clear();
    }
  }

  std::size_t distinct() const {
    std::size_t words = 0;
    for (const WordTable& table : joined_) words += table.size();
    return words;
  }

  void drop_rare_words() {
    if (distinct() <= limits_.max_words) return;
    std::vector<std::uint64_t> counts;
    for (const WordTable& table : joined_) {
      for (const WordTable::Entry& entry : table.entries()) counts.push_back(entry.count);
    }
    const std::size_t kept = limits_.max_words / 2;
    std::nth_element(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(kept),
                     counts.end(), std::greater<>());
    const std::uint64_t minimum = counts[kept] + 1;
    for (const std::uint64_t count : counts) dropped_ += count < minimum ? count : 0;
    parallel_for(kParts, limits_.threads,
                 [&](std::size_t part) { joined_[part].drop_below(minimum); });
  }

  WordCounts collect() {
    WordCounts result;
    std::size_t characters = 0;
    for (const WordTable& table : joined_) {
      for (const WordTable::Entry& entry : table.entries()) characters += entry.length;
    }
    result.characters.reserve(characters);  // so that views of it stay valid
    result.words.reserve(distinct());
    for (WordTable& table : joined_) {
      for (const WordTable::Entry& entry : table.entries()) {
        const std::string_view word = table.word(entry);
        const char* begin = result.characters.data() + result.characters.size();
        result.characters.insert(result.characters.end(), word.begin(), word.end());
        result.words.push_back({{begin, word.size()}, entry.count});
        result.total += entry.count;
      }
      table.clear();
    }
    std::sort(result.words.begin(), result.words.end(),
              [](const auto& a, const auto& b) { return a.text < b.text; });
    result.documents = documents_;
    result.document_bytes = bytes_;
    result.dropped = dropped_;
    result.total += dropped_;
    return result;
  }

  const DocumentSource& next_;
  const WordSplitter& split_;
  CountingLimits limits_;
  std::vector<Parts> tables_;  // one a thread
  Parts joined_ = Parts(kParts);
  std::mutex mutex_;  // guards what follows while threads count
  bool ended_ = false;
  std::uint64_t bytes_ = 0;
  std::uint64_t documents_ = 0;
  std::uint64_t round_end_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace

WordCounts count_words(const DocumentSource& next, const WordSplitter& split,
                       const CountingLimits& limits) {
  return Counter(next, split, limits).run();
}

}  // namespace pretrain
