#include "objectives/corruption/masking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/statistics.h"

namespace pretrain {
namespace {

using testing::expect_distribution;
using testing::expect_share;
using testing::expect_uniform;
using testing::kFirstOrdinary;

constexpr std::int64_t kVocab = 1000;
constexpr std::int64_t kOrdinary = kVocab - kFirstOrdinary;

ObjectiveContext tiny_context() {
  ObjectiveContext context;
  context.seed = 3;
  context.vocab_size = kVocab;
  context.special = testing::tiny_special_tokens(kVocab);
  return context;
}

RandomStream stream_of(std::uint64_t id) { return {21, RandomPurpose::kTest, id}; }

std::int64_t ordinary(RandomStream& random) {
  return kFirstOrdinary + static_cast<std::int64_t>(random.below(kOrdinary));
}

std::vector<std::int64_t> ordinary_tokens(std::size_t count, RandomStream& random) {
  std::vector<std::int64_t> tokens;
  for (std::size_t i = 0; i < count; ++i) tokens.push_back(ordinary(random));
  return tokens;
}

// Without replacement: the counts of positions vary less, chi-square by (n - 1) / (n (1 - p)).
TEST(Masking, ChoosesItsShareOfPositionsUniformly) {
  constexpr std::size_t kWidth = 500;
  constexpr std::uint64_t kRows = 2000;
  const Masking masking(MaskingOptions{}, tiny_context(), "masked_lm");
  std::vector<std::int64_t> counts(kWidth);
  std::int64_t total = 0;
  for (std::uint64_t row = 0; row < kRows; ++row) {
    RandomStream random = stream_of(row);
    const auto tokens = ordinary_tokens(kWidth, random);
    const auto chosen = masking.choose(tokens, random);
    ASSERT_EQ(chosen.size(), 75u);
    ASSERT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
    for (const std::int64_t at : chosen) ++counts[static_cast<std::size_t>(at)];
    total += std::ssize(chosen);
  }
  EXPECT_DOUBLE_EQ(static_cast<double>(total) / (kWidth * kRows), 0.15);
  expect_uniform(counts, "positions", (kWidth - 1.0) / (kWidth * 0.85));
}

TEST(Masking, RoundsTheNumberOfPositions) {
  RandomStream random = stream_of(0);
  const auto chosen_of = [&](std::size_t length, MaskingOptions options) {
    const Masking masking(options, tiny_context(), "masked_lm");
    return masking.choose(ordinary_tokens(length, random), random).size();
  };
  MaskingOptions options;
  EXPECT_EQ(chosen_of(0, options), 0u);
  EXPECT_EQ(chosen_of(1, options), 1u);
  EXPECT_EQ(chosen_of(9, options), 1u);
  EXPECT_EQ(chosen_of(11, options), 2u);
  EXPECT_EQ(chosen_of(510, options), 77u);
  options.max_predictions = 20;
  EXPECT_EQ(chosen_of(510, options), 20u);
  EXPECT_EQ(chosen_of(100, options), 15u);
  for (const char* unit : {"word", "span"}) {
    options.unit = unit;
    EXPECT_EQ(chosen_of(510, options), 20u) << unit;
  }
  options.max_predictions.reset();
  options.mask_prob = 1;
  for (const char* unit : {"token", "word", "span"}) {
    options.unit = unit;
    EXPECT_EQ(chosen_of(64, options), 64u) << unit;
  }
}

TEST(Masking, HidesEightyTenTen) {
  const Masking masking(MaskingOptions{}, tiny_context(), "masked_lm");
  constexpr std::int64_t kDraws = 1000000;
  constexpr std::int64_t kToken = 77;
  RandomStream random = stream_of(1);
  std::int64_t masked = 0, kept = 0, replaced = 0;
  std::vector<std::int64_t> drawn(kOrdinary);
  for (std::int64_t i = 0; i < kDraws; ++i) {
    const std::int64_t shown = masking.hide(kToken, random);
    if (shown == 4) {
      ++masked;
    } else if (shown == kToken) {
      ++kept;
    } else {
      ++replaced;
      ASSERT_GE(shown, kFirstOrdinary);
      ASSERT_LT(shown, kVocab);
      ++drawn[static_cast<std::size_t>(shown - kFirstOrdinary)];
    }
  }
  const double same = 0.1 / kOrdinary;  // random draws of the token itself
  expect_share(masked, kDraws, 0.8, "masked");
  expect_share(kept, kDraws, 0.1 + same, "kept");
  expect_share(replaced, kDraws, 0.1 - same, "replaced");
  drawn.erase(drawn.begin() + (kToken - kFirstOrdinary));
  expect_uniform(drawn, "replacements");
}

TEST(Masking, ReplacementsAreUniformOverOrdinaryTokens) {
  MaskingOptions options;
  options.mask_share = 0;
  options.random_share = 1;
  ObjectiveContext context = tiny_context();
  context.special.is_special[500] = true;  // in the midst of the ordinary ones
  context.special.mask = -1;               // not needed
  const Masking masking(options, context, "masked_lm");
  RandomStream random = stream_of(2);
  std::vector<std::int64_t> drawn(kVocab);
  for (int i = 0; i < 1000000; ++i) ++drawn[static_cast<std::size_t>(masking.hide(77, random))];
  std::vector<std::int64_t> allowed;
  for (std::size_t id = 0; id < drawn.size(); ++id) {
    if (context.special.is_special[id]) {
      EXPECT_EQ(drawn[id], 0) << id;
    } else {
      allowed.push_back(drawn[id]);
    }
  }
  expect_uniform(allowed, "replacements");
}

TEST(Masking, NeverChoosesSpecialTokens) {
  for (const char* unit : {"token", "word", "span"}) {
    MaskingOptions options;
    options.unit = unit;
    const Masking masking(options, tiny_context(), "masked_lm");
    for (std::uint64_t row = 0; row < 500; ++row) {
      RandomStream random = stream_of(row);
      auto tokens = ordinary_tokens(100, random);
      std::int64_t candidates = 0;
      for (std::int64_t& token : tokens) {
        if (random.uniform() < 0.4) token = static_cast<std::int64_t>(random.below(kFirstOrdinary));
        candidates += token >= kFirstOrdinary;
      }
      const auto chosen = masking.choose(tokens, random);
      EXPECT_EQ(std::ssize(chosen), std::llround(0.15 * static_cast<double>(candidates))) << unit;
      EXPECT_EQ(std::set(chosen.begin(), chosen.end()).size(), chosen.size());
      for (const std::int64_t at : chosen) {
        EXPECT_GE(tokens[static_cast<std::size_t>(at)], kFirstOrdinary) << unit;
      }
    }
    RandomStream random = stream_of(0);
    const std::vector<std::int64_t> only_special{2, 0, 0, 3};
    EXPECT_TRUE(masking.choose(only_special, random).empty());
  }
}

// Odd ids go on with the word before them, unless that is a special token.
class WordMaskingTest : public ::testing::Test {
 protected:
  WordMaskingTest() : context_(tiny_context()) {
    for (std::int64_t id = 0; id < kVocab; ++id) context_.word_parts.push_back(id % 2 == 1);
  }

  std::vector<std::vector<std::int64_t>> words_of(const std::vector<std::int64_t>& tokens) const {
    std::vector<std::vector<std::int64_t>> words;
    bool open = false;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const bool special = tokens[i] < kFirstOrdinary;
      if (!special && !(open && tokens[i] % 2 == 1)) words.emplace_back();
      if (!special) words.back().push_back(static_cast<std::int64_t>(i));
      open = !special;
    }
    return words;
  }

  std::vector<std::int64_t> text(RandomStream& random) const {
    auto tokens = ordinary_tokens(200, random);
    for (int i = 0; i < 10; ++i) tokens[random.below(tokens.size())] = 3;
    return tokens;
  }

  ObjectiveContext context_;
};

TEST_F(WordMaskingTest, ChoosesWordsAsWholes) {
  MaskingOptions options;
  options.unit = "word";
  const Masking masking(options, context_, "masked_lm");
  std::int64_t longer = 0;
  for (std::uint64_t row = 0; row < 1000; ++row) {
    RandomStream random = stream_of(row);
    const auto tokens = text(random);
    const auto words = words_of(tokens);
    std::size_t candidates = 0;
    for (const auto& word : words) candidates += word.size();
    const auto wanted =
        static_cast<std::size_t>(std::llround(0.15 * static_cast<double>(candidates)));
    const auto list = masking.choose(tokens, random);
    const std::set<std::int64_t> chosen(list.begin(), list.end());
    ASSERT_LE(chosen.size(), wanted);
    for (const auto& word : words) {
      std::size_t hit = 0;
      for (const std::int64_t at : word) hit += chosen.count(at);
      EXPECT_TRUE(hit == 0 || hit == word.size()) << "a part of a word";
      longer += hit > 1;
      if (hit == 0) {
        EXPECT_GT(word.size(), wanted - chosen.size()) << "it would have fit";
      }
    }
  }
  EXPECT_GT(longer, 1000);
}

// Spans start and end with words; only the last one drawn may be cut short.
TEST_F(WordMaskingTest, SpansAreOfWords) {
  MaskingOptions options;
  options.unit = "span";
  const Masking masking(options, context_, "masked_lm");
  for (std::uint64_t row = 0; row < 1000; ++row) {
    RandomStream random = stream_of(row);
    const auto tokens = text(random);
    const auto list = masking.choose(tokens, random);
    const std::set<std::int64_t> chosen(list.begin(), list.end());
    int cut = 0;
    for (const auto& word : words_of(tokens)) {
      std::size_t hit = 0;
      for (const std::int64_t at : word) hit += chosen.count(at);
      cut += hit != 0 && hit != word.size();
      if (hit != 0) {
        EXPECT_TRUE(chosen.contains(word.front()));
      }
    }
    EXPECT_LE(cut, 1);
  }
}

// The first span is the one that a single prediction begins, drawn from the same stream.
TEST(Masking, SpanLengthsAreGeometricUpToTen) {
  constexpr std::size_t kWidth = 4000;
  MaskingOptions options;
  options.unit = "span";
  options.max_predictions = 1;
  const Masking first(options, tiny_context(), "masked_lm");
  options.max_predictions = 10;
  const Masking whole(options, tiny_context(), "masked_lm");
  const std::vector<std::int64_t> tokens(kWidth, 50);
  std::vector<std::int64_t> counts(10);
  double sum = 0;
  for (std::uint64_t row = 0; row < 6000; ++row) {
    RandomStream random = stream_of(row), again = stream_of(row);
    const std::int64_t start = first.choose(tokens, random)[0];
    if (start + 10 > static_cast<std::int64_t>(kWidth)) continue;
    const auto chosen = whole.choose(tokens, again);
    std::size_t length = 0;
    const auto found = std::find(chosen.begin(), chosen.end(), start);
    for (auto at = found; at != chosen.end() && *at == start + (at - found); ++at) ++length;
    ASSERT_GE(length, 1u);
    ASSERT_LE(length, 10u);
    ++counts[length - 1];
    sum += static_cast<double>(length);
  }
  std::vector<double> expected;
  double total = 0, mean = 0, square = 0;
  for (int length = 1; length <= 10; ++length) total += 0.2 * std::pow(0.8, length - 1);
  for (int length = 1; length <= 10; ++length) {
    expected.push_back(0.2 * std::pow(0.8, length - 1) / total);
    mean += expected.back() * length;
    square += expected.back() * length * length;
  }
  EXPECT_NEAR(mean, 3.8, 0.01);  // SpanBERT's
  const std::int64_t draws = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  for (std::size_t i = 0; i < counts.size(); ++i) {
    expect_share(counts[i], draws, expected[i], "length " + std::to_string(i + 1));
  }
  expect_distribution(counts, expected, "lengths");
  testing::expect_mean(sum, draws, mean, square - mean * mean, "mean length");
}

TEST(Masking, StaticMasksRepeatAndDynamicOnesDoNot) {
  constexpr std::uint64_t kEpochs = 12;
  const auto first_draws = [](const MaskingOptions& options) {
    const Masking masking(options, tiny_context(), "masked_lm");
    TokenBatch batch;
    for (std::uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
      batch.sample_ids.push_back(1000 * epoch + 17);
      batch.row_ids.push_back(5);
      batch.epochs.push_back(epoch);
    }
    std::vector<std::uint64_t> draws;
    for (std::size_t row = 0; row < kEpochs; ++row) {
      draws.push_back(masking.stream(batch, row, 0).next_u64());
    }
    return draws;
  };
  MaskingOptions options;
  const auto dynamic = first_draws(options);
  EXPECT_EQ(std::set(dynamic.begin(), dynamic.end()).size(), kEpochs);
  options.masking = "static";
  options.copies = 4;
  const auto fixed = first_draws(options);
  EXPECT_EQ(std::set(fixed.begin(), fixed.end()).size(), 4u);
  for (std::size_t epoch = 4; epoch < kEpochs; ++epoch) EXPECT_EQ(fixed[epoch], fixed[epoch - 4]);
}

TEST(Masking, RefusesWhatCannotBe) {
  MaskingOptions options;
  ObjectiveContext context = tiny_context();
  context.special.mask = -1;
  testing::expect_error(ExitCode::kBadConfig, "objective.name masked_lm: the tokenizer has no mask",
                        [&] { Masking(options, context, "masked_lm"); });
  options.random_share = 0.3;
  testing::expect_error(ExitCode::kBadConfig, "is more than 1",
                        [&] { Masking(options, tiny_context(), "masked_lm"); });
}

}  // namespace
}  // namespace pretrain
