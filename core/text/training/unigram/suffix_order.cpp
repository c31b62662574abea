#include "core/text/training/unigram/suffix_order.h"

#include <algorithm>
#include <unordered_map>

#include "core/base/error.h"
#include "core/text/training/alphabet.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

// Stable counting sort of `order` by ranks[place + offset], 0 beyond the end of the word.
void sort_by_rank(const FlatWords& words, const std::vector<std::uint32_t>& ranks,
                  std::size_t rank_count, std::size_t offset, std::vector<std::uint32_t>& order,
                  std::vector<std::uint32_t>& sorted) {
  const auto rank_at = [&](std::uint32_t place) {
    return place + offset < words.ends[place] ? ranks[place + offset] : 0;
  };
  std::vector<std::uint32_t> starts(rank_count + 2, 0);
  for (const std::uint32_t place : order) ++starts[rank_at(place) + 1];
  for (std::size_t rank = 1; rank < starts.size(); ++rank) starts[rank] += starts[rank - 1];
  sorted.resize(order.size());
  for (const std::uint32_t place : order) sorted[starts[rank_at(place)]++] = place;
  order.swap(sorted);
}

// Ranks from 1 by character; how many there are.
std::size_t rank_characters(const FlatWords& words, std::vector<std::uint32_t>& ranks) {
  std::vector<std::uint32_t> alphabet = words.characters;
  std::sort(alphabet.begin(), alphabet.end());
  alphabet.erase(std::unique(alphabet.begin(), alphabet.end()), alphabet.end());
  std::unordered_map<std::uint32_t, std::uint32_t> rank_of;
  for (const std::uint32_t character : alphabet) {
    rank_of.emplace(character, static_cast<std::uint32_t>(rank_of.size() + 1));
  }
  ranks.resize(words.characters.size());
  for (std::size_t i = 0; i < ranks.size(); ++i) ranks[i] = rank_of[words.characters[i]];
  return alphabet.size();
}

}  // namespace

FlatWords flatten_words(const WordCounts& counts, std::size_t max_characters,
                        std::size_t max_length) {
  const std::vector<std::uint32_t> alphabet = alphabet_of(counts, max_characters);
  FlatWords flat;
  flat.begins.push_back(0);
  const auto close = [&](std::uint64_t weight) {
    const auto end = static_cast<std::uint32_t>(flat.characters.size());
    if (end == flat.begins.back()) return;
    flat.ends.resize(end, end);
    flat.begins.push_back(end);
    flat.weights.push_back(weight);
  };
  for (const WordCounts::Word& word : counts.words) {
    for (std::size_t at = 0; at < word.text.size();) {
      const std::uint32_t character = next_code_point(word.text, at);
      const bool is_known = std::binary_search(alphabet.begin(), alphabet.end(), character);
      if (is_known) flat.characters.push_back(character);
      const std::size_t length = flat.characters.size() - flat.begins.back();
      if (!is_known || length == max_length || at == word.text.size()) close(word.count);
    }
    if (flat.characters.size() >= std::size_t{1} << 31U) {
      fail(ExitCode::kBadData, "the different words of the text have 2^31 characters or more. ",
           "Train on less text");
    }
  }
  return flat;
}

std::vector<std::uint32_t> sort_suffixes(const FlatWords& words, std::size_t depth) {
  const std::size_t size = words.characters.size();
  std::vector<std::uint32_t> ranks;
  std::size_t rank_count = rank_characters(words, ranks);
  std::vector<std::uint32_t> order(size);
  for (std::size_t i = 0; i < size; ++i) order[i] = static_cast<std::uint32_t>(i);
  std::vector<std::uint32_t> other;
  sort_by_rank(words, ranks, rank_count, 0, order, other);
  for (std::size_t known = 1; known < depth && rank_count < size; known *= 2) {
    // By the second half, then, stably, by the first.
    for (std::size_t i = 0; i < size; ++i) order[i] = static_cast<std::uint32_t>(i);
    sort_by_rank(words, ranks, rank_count, known, order, other);
    sort_by_rank(words, ranks, rank_count, 0, order, other);
    const auto second_of = [&](std::uint32_t place) {
      return place + known < words.ends[place] ? ranks[place + known] : 0;
    };
    std::vector<std::uint32_t>& next = other;
    next.resize(size);
    rank_count = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const bool same = i > 0 && ranks[order[i]] == ranks[order[i - 1]] &&
                        second_of(order[i]) == second_of(order[i - 1]);
      if (!same) ++rank_count;
      next[order[i]] = static_cast<std::uint32_t>(rank_count);
    }
    ranks.swap(next);
  }
  return order;
}

std::size_t common_prefix(const FlatWords& words, std::uint32_t a, std::uint32_t b,
                          std::size_t depth) {
  const std::size_t limit =
      std::min<std::size_t>(depth, std::min(words.ends[a] - a, words.ends[b] - b));
  std::size_t length = 0;
  while (length < limit && words.characters[a + length] == words.characters[b + length]) ++length;
  return length;
}

}  // namespace pretrain
