#include "core/text/training/merges/merge_learner.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "core/base/error.h"
#include "core/text/training/merges/pair_queue.h"
#include "core/text/training/merges/pair_table.h"

namespace pretrain {
namespace {

constexpr std::size_t kReportEvery = 256;  // tokens

class Learner {
 public:
  Learner(const SymbolWords& words, std::vector<std::string> first_symbols,
          const MergeOptions& options)
      : words_(words),
        options_(options),
        symbols_(words.symbols),
        extents_(words.symbols.size(), 1),
        word_at_(words.symbols.size()),
        pairs_(words.symbols.size()),
        queue_(options.min_count) {
    learned_.vocabulary = std::move(first_symbols);
    for (std::uint32_t id = 0; id < learned_.vocabulary.size(); ++id) {
      id_of_.emplace(learned_.vocabulary[id], id);
    }
  }

  LearnedMerges run() {
    count_pairs();
    while (learned_.vocabulary.size() < options_.vocab_size) {
      const std::optional<QueuedPair> top = queue_.pop();
      if (!top) break;
      const PairTable::Pair pair = pairs_.at(top->index);
      if (pair.head == PairTable::kNone) continue;
      if (pair.count != top->count) {
        queue_.push({pair.count, pair.first, pair.second, top->index});
        continue;
      }
      merge(top->index, pair, token_of(pair));
      if (options_.progress && learned_.merges.size() % kReportEvery == 0) {
        options_.progress(learned_.vocabulary.size());
      }
    }
    return std::move(learned_);
  }

 private:
  void count_pairs() {
    for (std::size_t word = 0; word < words_.counts.size(); ++word) {
      const std::size_t end = words_.begins[word + 1];
      for (std::size_t i = words_.begins[word]; i < end; ++i) {
        word_at_[i] = static_cast<std::uint32_t>(word);
        if (i + 1 < end) form(static_cast<std::uint32_t>(i), symbols_[i], symbols_[i + 1]);
      }
    }
    queue_formed();
  }

  // A pair stands at `place` now.
  void form(std::uint32_t place, std::uint32_t first, std::uint32_t second) {
    const std::uint32_t index = pairs_.find(first, second);
    pairs_.at(index).count += static_cast<std::int64_t>(words_.counts[word_at_[place]]);
    pairs_.add_place(index, place);
    if (is_formed_.size() < pairs_.size()) is_formed_.resize(pairs_.size(), false);
    if (is_formed_[index]) return;
    is_formed_[index] = true;
    formed_.push_back(index);
  }

  // The pair at `place` is one no more.
  void dissolve(std::uint32_t place) {
    const std::uint32_t index = pairs_.pair_at(place);
    pairs_.at(index).count -= static_cast<std::int64_t>(words_.counts[word_at_[place]]);
    pairs_.remove_place(place);
  }

  void queue_formed() {
    for (const std::uint32_t index : formed_) {
      const PairTable::Pair& pair = pairs_.at(index);
      queue_.push({pair.count, pair.first, pair.second, index});
      is_formed_[index] = false;
    }
    formed_.clear();
  }

  std::uint32_t token_of(const PairTable::Pair& pair) {
    std::string_view second = learned_.vocabulary[pair.second];
    const std::string& prefix = options_.continuing_prefix;
    if (!prefix.empty() && second.starts_with(prefix)) second.remove_prefix(prefix.size());
    std::string text = learned_.vocabulary[pair.first];
    text += second;
    const auto [entry, is_new] =
        id_of_.emplace(text, static_cast<std::uint32_t>(learned_.vocabulary.size()));
    if (is_new) learned_.vocabulary.push_back(std::move(text));
    return entry->second;
  }

  void merge(std::uint32_t index, const PairTable::Pair& pair, std::uint32_t token) {
    learned_.merges.emplace_back(pair.first, pair.second);
    pairs_.places_of(index, places_);
    for (const std::uint32_t place : places_) {
      if (pairs_.pair_at(place) == index) merge_at(place, token);
    }
    queue_formed();
  }

  void merge_at(std::uint32_t place, std::uint32_t token) {
    const std::size_t word = word_at_[place];
    const std::uint32_t second = place + extents_[place];
    const std::uint32_t behind = second + extents_[second];
    const bool has_before = place > words_.begins[word];
    const bool has_behind = behind < words_.begins[word + 1];
    const std::uint32_t before = has_before ? place - extents_[place - 1] : place;
    pairs_.remove_place(place);  // its own count stays, see the header
    if (has_before) dissolve(before);
    if (has_behind) dissolve(second);
    symbols_[place] = token;
    // The length of a token stands at both of its ends.
    extents_[place] = behind - place;
    extents_[behind - 1] = behind - place;
    if (has_before) form(before, symbols_[before], token);
    if (has_behind) form(place, token, symbols_[behind]);
  }

  const SymbolWords& words_;
  const MergeOptions& options_;
  std::vector<std::uint32_t> symbols_;  // by place: the token that begins there
  std::vector<std::uint32_t> extents_;  // places of a token, at its first and last place
  std::vector<std::uint32_t> word_at_;
  PairTable pairs_;
  PairQueue queue_;
  std::vector<std::uint32_t> formed_;  // pairs formed since the last queue_formed()
  std::vector<bool> is_formed_;
  std::vector<std::uint32_t> places_;
  std::unordered_map<std::string, std::uint32_t> id_of_;
  LearnedMerges learned_;
};

}  // namespace

LearnedMerges learn_merges(const SymbolWords& words, std::vector<std::string> first_symbols,
                           const MergeOptions& options) {
  if (words.symbols.size() >= PairTable::kNone) {
    fail(ExitCode::kBadData, "the different words of the text have ", words.symbols.size(),
         " characters, expected fewer than 2^32. Train on less text, or with another --split");
  }
  return Learner(words, std::move(first_symbols), options).run();
}

}  // namespace pretrain
