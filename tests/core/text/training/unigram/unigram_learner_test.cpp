#include "core/text/training/unigram/unigram_learner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <random>

#include "core/text/training/unigram/piece_lattice.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using testing::expect_error;

WordCounts counts_of(const std::map<std::string, std::uint64_t>& words) {
  WordCounts counts;
  std::size_t size = 0;
  for (const auto& [word, count] : words) size += word.size();
  counts.characters.reserve(size);
  for (const auto& [word, count] : words) {
    const char* begin = counts.characters.data() + counts.characters.size();
    counts.characters.insert(counts.characters.end(), word.begin(), word.end());
    counts.words.push_back({{begin, word.size()}, count});
  }
  return counts;
}

std::map<std::string, std::uint64_t> random_words(std::uint32_t seed, std::size_t longest) {
  std::mt19937 random(seed);
  std::map<std::string, std::uint64_t> words;
  for (std::size_t n = 1 + random() % 20; n > 0; --n) {
    std::string word;
    for (std::size_t i = 1 + random() % longest; i > 0; --i) {
      word += std::array{"a", "b", "\u00e9"}[random() % 3];
    }
    words[word] = 1 + random() % 4;
  }
  return words;
}

struct Parts {
  FlatWords words;
  std::vector<std::uint32_t> order;
  std::vector<SeedPiece> seeds;
};

Parts parts_of(const WordCounts& counts) {
  Parts parts{flatten_words(counts, 0, PieceLattice::kMaxWordLength), {}, {}};
  parts.order = sort_suffixes(parts.words, PieceLattice::kMaxLength);
  parts.seeds = find_seed_pieces(parts.words, parts.order, {});
  return parts;
}

// Places where `piece` stands in the words, each as often as its word.
std::uint64_t count_by_search(const std::map<std::string, std::uint64_t>& words,
                              const std::string& piece) {
  std::uint64_t found = 0;
  for (const auto& [word, count] : words) {
    for (std::size_t at = word.find(piece); at != std::string::npos;
         at = word.find(piece, at + 1)) {
      found += count;
    }
  }
  return found;
}

TEST(SeedPieces, AreTheRepeatedSubstrings) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    const auto words = random_words(seed, 12);
    const WordCounts counts = counts_of(words);
    const Parts parts = parts_of(counts);
    const PieceLattice lattice(parts.words, parts.order, parts.seeds, 1);
    std::map<std::string, std::uint64_t> pieces;
    for (std::uint32_t i = 0; i < lattice.size(); ++i) {
      EXPECT_TRUE(pieces.emplace(lattice.text(i), parts.seeds[i].count).second) << lattice.text(i);
    }
    for (const auto& [piece, count] : pieces) EXPECT_EQ(count, count_by_search(words, piece));
    // Every substring that stands twice is a piece, or always part of the same longer one.
    for (const auto& [word, weight] : words) {
      for (std::size_t begin = 0; begin < word.size(); ++begin) {
        for (std::size_t size = 1; begin + size <= word.size(); ++size) {
          const std::string part = word.substr(begin, size);
          const std::uint64_t count = count_by_search(words, part);
          if (count < 2 || pieces.contains(part) || (part.back() & 0xC0) == 0xC0 ||
              (part.front() & 0xC0) == 0x80) {
            continue;
          }
          std::uint64_t longer = 0;
          for (const char* next : {"a", "b", "\u00e9"}) {
            longer = std::max(longer, count_by_search(words, part + next));
          }
          EXPECT_EQ(longer, count) << part;
        }
      }
    }
  }
}

// Calls use(pieces) for every way to cut `word`.
void for_each_way(const std::string& word, const std::map<std::string, std::uint32_t>& ids,
                  std::vector<std::uint32_t>& way,
                  const std::function<void(const std::vector<std::uint32_t>&)>& use) {
  if (word.empty()) return use(way);
  for (std::size_t size = 1; size <= word.size(); ++size) {
    const auto found = ids.find(word.substr(0, size));
    if (found == ids.end()) continue;
    way.push_back(found->second);
    for_each_way(word.substr(size), ids, way, use);
    way.pop_back();
  }
}

TEST(PieceLattice, SumsOverAllWaysAndFindsTheBest) {
  std::mt19937 random(1);
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    const auto words = random_words(seed, 8);
    const WordCounts counts = counts_of(words);
    const Parts parts = parts_of(counts);
    const PieceLattice lattice(parts.words, parts.order, parts.seeds, 2);
    std::map<std::string, std::uint32_t> ids;
    std::vector<double> scores;
    for (std::uint32_t i = 0; i < lattice.size(); ++i) {
      ids[lattice.text(i)] = i;
      scores.push_back(-1 - static_cast<double>(random() % 1000) / 200);
    }
    std::vector<double> expected(lattice.size(), 0), best(lattice.size(), 0);
    for (const auto& [word, count] : words) {
      double sum = 0, top = -HUGE_VAL;
      std::vector<double> counted(lattice.size(), 0);
      std::vector<std::uint32_t> way, top_way;
      for_each_way(word, ids, way, [&](const std::vector<std::uint32_t>& pieces) {
        double score = 0;
        for (const std::uint32_t piece : pieces) score += scores[piece];
        sum += std::exp(score);
        for (const std::uint32_t piece : pieces) counted[piece] += std::exp(score);
        if (score > top) top_way = pieces;
        top = std::max(top, score);
      });
      for (std::size_t i = 0; i < counted.size(); ++i) {
        expected[i] += static_cast<double>(count) * counted[i] / sum;
      }
      for (const std::uint32_t piece : top_way) best[piece] += static_cast<double>(count);
    }
    const std::vector<double> sums = lattice.expected_counts(scores);
    for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(sums[i], expected[i], 1e-9);
    EXPECT_EQ(lattice.best_counts(scores), best);
  }
}

TEST(UnigramLearner, KeepsCharactersAndTheSizeAndIsDeterministic) {
  std::map<std::string, std::uint64_t> words;
  for (std::uint32_t seed = 0; seed < 40; ++seed) words.merge(random_words(seed, 40));
  const WordCounts counts = counts_of(words);
  const std::vector<ScoredPiece> pieces = learn_unigram(counts, {.pieces = 50, .threads = 1});
  EXPECT_EQ(pieces.size(), 50U);
  std::map<std::string, double> scores;
  for (const ScoredPiece& piece : pieces)
    EXPECT_TRUE(scores.emplace(piece.text, piece.score).second);
  for (const char* character : {"a", "b", "\u00e9"}) EXPECT_TRUE(scores.contains(character));
  for (std::size_t i = 1; i < pieces.size(); ++i) EXPECT_GE(pieces[i - 1].score, pieces[i].score);
  double sum = 0;
  for (const ScoredPiece& piece : pieces) sum += std::exp(piece.score);
  EXPECT_LE(sum, 1.0);
  EXPECT_GT(sum, 0.5);
  const std::vector<ScoredPiece> same = learn_unigram(counts, {.pieces = 50, .threads = 5});
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(same[i].text, pieces[i].text);
    EXPECT_EQ(same[i].score, pieces[i].score);  // to the bit
  }
}

TEST(UnigramLearner, FrequentWordsArePieces) {
  std::map<std::string, std::uint64_t> words{{"stand", 1000}, {"look", 800}, {"bab", 1}};
  for (std::uint32_t seed = 0; seed < 40; ++seed) words.merge(random_words(seed, 40));
  const std::vector<ScoredPiece> pieces = learn_unigram(counts_of(words), {.pieces = 60});
  for (const char* word : {"stand", "look"}) {
    EXPECT_TRUE(std::any_of(pieces.begin(), pieces.end(),
                            [&](const ScoredPiece& piece) { return piece.text == word; }));
  }
}

TEST(UnigramLearner, LimitsTheAlphabet) {
  const auto words = std::map<std::string, std::uint64_t>{{"aab", 9}, {"aac", 1}, {"d", 1}};
  const WordCounts counts = counts_of(words);
  expect_error(ExitCode::kUsage, "4 different characters",
               [&] { learn_unigram(counts, {.pieces = 3}); });
  for (const ScoredPiece& piece : learn_unigram(counts, {.pieces = 9, .max_characters = 2})) {
    EXPECT_EQ(piece.text.find_first_not_of("ab"), std::string::npos) << piece.text;
  }
}

}  // namespace
}  // namespace pretrain
