#include "core/text/training/merges/merge_learner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>

#include "core/base/error.h"

namespace pretrain {
namespace {

using Pair = std::pair<std::uint32_t, std::uint32_t>;
using Words = std::vector<std::pair<std::vector<std::uint32_t>, std::uint64_t>>;

// The same by its definition: all pairs are counted anew before each merge. Only for texts in which
// no merge gives a token that is there already.
std::vector<Pair> merges_by_definition(Words words, std::vector<std::string> vocabulary,
                                       const MergeOptions& options) {
  std::vector<Pair> merges;
  while (vocabulary.size() < options.vocab_size) {
    std::map<Pair, std::uint64_t> counts;
    for (const auto& [symbols, count] : words) {
      for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
        counts[{symbols[i], symbols[i + 1]}] += count;
      }
    }
    const auto best = std::max_element(
        counts.begin(), counts.end(),
        [](const auto& a, const auto& b) { return a.second < b.second; });  // first of equals
    if (best == counts.end() || best->second < options.min_count) break;
    const Pair pair = best->first;
    merges.push_back(pair);
    const auto token = static_cast<std::uint32_t>(vocabulary.size());
    vocabulary.push_back(vocabulary[pair.first] + vocabulary[pair.second]);
    for (auto& [symbols, count] : words) {
      std::vector<std::uint32_t> merged;
      for (std::size_t i = 0; i < symbols.size(); ++i) {
        const bool found = i + 1 < symbols.size() && Pair{symbols[i], symbols[i + 1]} == pair;
        merged.push_back(found ? token : symbols[i]);
        i += found ? 1 : 0;
      }
      symbols = merged;
    }
  }
  return merges;
}

SymbolWords flat(const Words& words) {
  SymbolWords symbol_words;
  symbol_words.begins.push_back(0);
  for (const auto& [symbols, count] : words) {
    symbol_words.symbols.insert(symbol_words.symbols.end(), symbols.begin(), symbols.end());
    symbol_words.begins.push_back(symbol_words.symbols.size());
    symbol_words.counts.push_back(count);
  }
  return symbol_words;
}

std::vector<std::string> letters(std::uint32_t size) {
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < size; ++i) texts.emplace_back(1, static_cast<char>('a' + i));
  return texts;
}

TEST(MergeLearner, EqualsItsDefinition) {
  std::mt19937 engine(1);
  const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
  std::size_t compared = 0;
  for (int repeat = 0; repeat < 400; ++repeat) {
    const std::uint32_t alphabet = 2 + random() % 10;
    Words words(random() % 40);
    for (auto& [symbols, count] : words) {
      for (std::size_t n = random() % 12; n > 0; --n) symbols.push_back(random() % alphabet);
      count = random() % 5;
    }
    const MergeOptions options{.vocab_size = alphabet + random() % 60,
                               .min_count = 1 + random() % 3};
    const LearnedMerges learned = learn_merges(flat(words), letters(alphabet), options);
    std::vector<std::string> vocabulary = learned.vocabulary;
    if (vocabulary.size() != alphabet + learned.merges.size()) continue;  // a token formed twice
    EXPECT_EQ(learned.merges, merges_by_definition(words, letters(alphabet), options)) << repeat;
    ++compared;
  }
  EXPECT_GT(compared, 300U);
}

TEST(MergeLearner, OfEqualCountsTheSmallerIdsComeFirst) {
  // "ab", "cd", "ad": each pair once.
  const Words words{{{2, 3}, 1}, {{0, 3}, 1}, {{0, 1}, 1}};
  const LearnedMerges learned =
      learn_merges(flat(words), letters(4), {.vocab_size = 7, .min_count = 1});
  EXPECT_EQ(learned.merges, (std::vector<Pair>{{0, 1}, {0, 3}, {2, 3}}));
  EXPECT_EQ(learned.vocabulary.back(), "cd");
}

TEST(MergeLearner, StopsAtTheSizeAndAtTheCount) {
  const Words words{{{0, 1, 0, 1}, 5}, {{2, 0}, 2}, {{1, 2}, 1}};
  EXPECT_EQ(learn_merges(flat(words), letters(3), {.vocab_size = 4}).merges.size(), 1U);
  EXPECT_EQ(learn_merges(flat(words), letters(3), {.vocab_size = 3}).merges.size(), 0U);
  EXPECT_EQ(learn_merges(flat(words), letters(3), {.vocab_size = 99}).merges.size(), 3U);
  EXPECT_EQ(learn_merges(flat(words), letters(3), {.vocab_size = 99, .min_count = 1}).merges.size(),
            4U);
  EXPECT_EQ(learn_merges(flat({}), letters(3), {.vocab_size = 99}).vocabulary.size(), 3U);
}

TEST(MergeLearner, TakesThePrefixOffTheSecondToken) {
  const Words words{{{0, 1, 1}, 3}};
  const LearnedMerges learned = learn_merges(
      flat(words), {"a", "##b"}, {.vocab_size = 4, .min_count = 1, .continuing_prefix = "##"});
  EXPECT_EQ(learned.vocabulary, (std::vector<std::string>{"a", "##b", "ab", "abb"}));
}

// Counts above those that wait in lists, and many of them.
TEST(MergeLearner, LargeCounts) {
  const std::uint64_t large = std::uint64_t{1} << 40U;
  const Words words{{{0, 1}, large}, {{1, 2}, large + 1}, {{2, 3}, 5000}, {{3, 0}, 4095}};
  EXPECT_EQ(learn_merges(flat(words), letters(4), {.vocab_size = 8}).merges,
            (std::vector<Pair>{{1, 2}, {0, 1}, {2, 3}, {3, 0}}));
}

TEST(MergeLearner, ReportsProgressAndCanBeStopped) {
  Words words;
  for (std::uint32_t i = 0; i < 600; ++i) words.push_back({{i, i + 1, i}, 2});
  std::vector<std::string> texts;
  for (int i = 0; i < 601; ++i) texts.push_back(concat("<", i, ">"));
  std::size_t calls = 0;
  MergeOptions options{.vocab_size = 1600, .progress = [&](std::size_t) { ++calls; }};
  learn_merges(flat(words), texts, options);
  EXPECT_GE(calls, 2U);
  options.progress = [](std::size_t) { throw std::runtime_error("stop"); };
  EXPECT_THROW(learn_merges(flat(words), texts, options), std::runtime_error);
}

}  // namespace
}  // namespace pretrain
