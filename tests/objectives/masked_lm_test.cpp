// Masked language modelling: what prepare makes of rows.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/objective.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/statistics.h"

namespace pretrain {
namespace {

using testing::expect_share;
using testing::kFirstOrdinary;
using testing::make_tiny;
using testing::random_rows;
using testing::TinySetup;

constexpr std::int64_t kEos = 0, kCls = 2, kSep = 3, kMask = 4;

TinySetup bert(const std::string& options = "", std::int64_t length = 24, std::int64_t vocab = 50) {
  TinySetup setup;
  setup.objective = "masked_lm";
  setup.objective_options = options;
  setup.length = length;
  setup.vocab_size = vocab;
  setup.layers = 1;
  return setup;
}

// The text as it was before tokens were hidden, [sequences] rows of tokens.
std::vector<std::vector<std::int64_t>> originals(const Batch& batch) {
  const at::Tensor tokens = batch.inputs.tokens.index_copy(0, batch.target_rows, batch.targets);
  std::vector<std::vector<std::int64_t>> rows;
  for (const at::Tensor& row : tokens.split_with_sizes(batch.inputs.lengths)) {
    const auto* data = row.const_data_ptr<std::int64_t>();
    rows.emplace_back(data, data + row.numel());
  }
  return rows;
}

std::vector<std::int64_t> row_of(const at::Tensor& tokens, std::size_t row) {
  const auto* data =
      tokens.const_data_ptr<std::int64_t>() + static_cast<std::int64_t>(row) * tokens.size(1);
  return {data, data + tokens.size(1)};
}

TEST(MaskedLm, HidesItsShareOfAMillionTokens) {
  constexpr std::int64_t kVocab = 1000, kRows = 2000, kWidth = 500;
  const auto objective = make_tiny(bert("", kWidth + 2, kVocab));
  const TokenBatch rows = random_rows(*objective, kRows, kVocab);
  ASSERT_EQ(rows.tokens.size(1), kWidth);
  const Batch batch = objective->prepare(rows);
  const std::int64_t chosen = batch.targets.numel();
  EXPECT_EQ(chosen, kRows * 75);
  EXPECT_EQ(batch.counts, std::vector<std::int64_t>{chosen});
  EXPECT_EQ(batch.positions, kRows * (kWidth + 2));
  const at::Tensor shown = batch.inputs.tokens.index_select(0, batch.target_rows);
  const double same = 0.1 / (kVocab - kFirstOrdinary);
  const std::int64_t masked = shown.eq(kMask).sum().item<std::int64_t>();
  const std::int64_t kept = shown.eq(batch.targets).sum().item<std::int64_t>();
  expect_share(masked, chosen, 0.8, "masked");
  expect_share(kept, chosen, 0.1 + same, "kept");
  expect_share(chosen - masked - kept, chosen, 0.1 - same, "replaced");
  EXPECT_EQ(batch.targets.lt(kFirstOrdinary).sum().item<std::int64_t>(), 0);
  EXPECT_EQ(shown.lt(kFirstOrdinary).logical_and(shown.ne(kMask)).sum().item<std::int64_t>(), 0);
}

TEST(MaskedLm, ClosesRowsInMarks) {
  const auto objective = make_tiny(bert());
  EXPECT_EQ(objective->row_shape().tokens, 22);
  const TokenBatch rows = random_rows(*objective, 50, 50);
  const Batch batch = objective->prepare(rows);
  EXPECT_EQ(batch.inputs.lengths, std::vector<std::int64_t>(50, 24));
  EXPECT_FALSE(batch.inputs.segments.defined());
  const auto texts = originals(batch);
  for (std::size_t row = 0; row < texts.size(); ++row) {
    std::vector<std::int64_t> expected = row_of(rows.tokens, row);
    expected.insert(expected.begin(), kCls);
    expected.push_back(kSep);
    EXPECT_EQ(texts[row], expected);
  }
}

TEST(MaskedLm, MakesASequenceOfEachDocument) {
  TinySetup setup = bert();
  setup.document_mask = true;
  const auto objective = make_tiny(setup);
  TokenBatch rows = random_rows(*objective, 1, 50);
  rows.tokens[0][4] = kEos;
  rows.tokens[0][5] = kEos;
  const Batch batch = objective->prepare(rows);
  EXPECT_EQ(batch.inputs.lengths, (std::vector<std::int64_t>{7, 3, 18}));
  const auto texts = originals(batch);
  EXPECT_EQ(texts[1], (std::vector<std::int64_t>{kCls, kEos, kSep}));
  EXPECT_EQ(texts[0][5], kEos);
  for (const auto& text : texts) {
    EXPECT_EQ(text.front(), kCls);
    EXPECT_EQ(text.back(), kSep);
  }
}

// BERT's vocabulary has no other token that ends documents.
TEST(MaskedLm, ASepThatClosesADocumentStandsOnce) {
  const auto objective = make_tiny(bert());
  const TokenBatch rows = random_rows(*objective, 1, 50);
  const Batch batch = objective->prepare(testing::in_pieces(rows, 11, kSep));
  EXPECT_EQ(batch.inputs.lengths, (std::vector<std::int64_t>{12, 12}));
  for (const auto& text : originals(batch)) {
    EXPECT_EQ(text.front(), kCls);
    EXPECT_EQ(text.back(), kSep);
    EXPECT_EQ(std::count(text.begin(), text.end(), kSep), 1);
  }
}

TEST(MaskedLm, WithoutMarksRowsFillThePositions) {
  TinySetup setup = bert();
  setup.wrap = "none";
  const auto objective = make_tiny(setup);
  EXPECT_EQ(objective->row_shape().tokens, 24);
  const TokenBatch rows = random_rows(*objective, 5, 50);
  const auto texts = originals(objective->prepare(rows));
  for (std::size_t row = 0; row < texts.size(); ++row) {
    EXPECT_EQ(texts[row], row_of(rows.tokens, row));
  }
  setup.objective_options = "next_sentence: true";
  setup.model_options = "pooler: true";
  testing::expect_error(ExitCode::kBadConfig, "data.wrap none leaves them out",
                        [&] { make_tiny(setup); });
}

// With nothing kept, what is seen at a chosen position tells nothing of its token.
TEST(MaskedLm, WhatIsSeenDoesNotDependOnWhatIsHidden) {
  for (const char* unit : {"token", "word", "span"}) {
    const auto objective =
        make_tiny(bert(std::string("mask_share: 0.7, random_share: 0.3, unit: ") + unit));
    TokenBatch rows = random_rows(*objective, 300, 50);
    const Batch before = objective->prepare(rows);
    // Every chosen token becomes another one.
    const at::Tensor row = before.target_rows.div(24, "floor");
    const at::Tensor column = before.target_rows.remainder(24) - 1;
    const at::Tensor others =
        (before.targets - kFirstOrdinary + 7).remainder(50 - kFirstOrdinary) + kFirstOrdinary;
    rows.tokens.index_put_({row, column}, others);
    const Batch after = objective->prepare(rows);
    EXPECT_TRUE(at::equal(after.inputs.tokens, before.inputs.tokens)) << unit;
    EXPECT_TRUE(at::equal(after.target_rows, before.target_rows)) << unit;
    EXPECT_TRUE(at::equal(after.targets, others)) << unit;
  }
}

TEST(MaskedLm, StaticMasksRepeatAndDynamicOnesDoNot) {
  for (const bool fixed : {false, true}) {
    const auto objective = make_tiny(bert(fixed ? "masking: static, copies: 3" : ""));
    std::vector<at::Tensor> seen;
    for (std::uint64_t epoch = 0; epoch < 6; ++epoch) {
      TokenBatch rows = random_rows(*objective, 20, 50);
      rows.epochs.assign(20, epoch);
      for (std::uint64_t& id : rows.sample_ids) id += 20 * epoch;
      seen.push_back(objective->prepare(rows).inputs.tokens);
    }
    for (std::size_t a = 0; a < 6; ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        EXPECT_EQ(at::equal(seen[a], seen[b]), fixed && (a - b) % 3 == 0) << a << " " << b;
      }
    }
  }
}

class SentencePairTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SentencePairTest, HalfOfThemAreInOrder) {
  constexpr std::int64_t kRows = 10000, kWidth = 21;
  const bool next_sentence = std::string(GetParam()) == "next_sentence";
  TinySetup setup = bert(std::string(GetParam()) + ": true");
  setup.model_options = "pooler: true";
  const auto objective = make_tiny(setup);
  EXPECT_EQ(objective->needs_others(), next_sentence);
  EXPECT_EQ(objective->terms()[1].name, GetParam());
  const TokenBatch rows = random_rows(*objective, kRows, 50);
  ASSERT_EQ(rows.tokens.size(1), kWidth);
  const Batch batch = objective->prepare(rows);
  EXPECT_EQ(batch.counts[1], kRows);
  ASSERT_EQ(batch.labels.numel(), kRows);
  expect_share(batch.labels.sum().item<std::int64_t>(), kRows, 0.5, "wrong pairs");

  const auto texts = originals(batch);
  const auto segments = batch.inputs.segments.split_with_sizes(batch.inputs.lengths);
  std::vector<std::int64_t> cuts(kWidth - 1);
  for (std::size_t row = 0; row < texts.size(); ++row) {
    const auto& text = texts[row];
    ASSERT_EQ(std::ssize(text), kWidth + 3);
    const auto middle = std::find(text.begin(), text.end(), kSep);
    const std::vector<std::int64_t> a(text.begin() + 1, middle), b(middle + 1, text.end() - 1);
    ASSERT_EQ(text.front(), kCls);
    ASSERT_EQ(text.back(), kSep);
    const bool wrong = batch.labels[static_cast<std::int64_t>(row)].item<std::int64_t>() == 1;
    std::vector<std::int64_t> expected = row_of(rows.tokens, row);
    std::size_t cut = a.size();
    if (wrong && next_sentence) {
      const auto other = row_of(rows.others, row);
      std::copy_n(other.begin(), b.size(), expected.begin() + std::ssize(a));
    } else if (wrong) {
      cut = b.size();
      std::rotate(expected.begin(), expected.begin() + std::ssize(b), expected.end());
    }
    std::vector<std::int64_t> joined = a;
    joined.insert(joined.end(), b.begin(), b.end());
    ASSERT_EQ(joined, expected) << "row " << row;
    ++cuts.at(cut - 1);
    const auto* segment = segments[row].const_data_ptr<std::int64_t>();
    for (std::ptrdiff_t i = 0; i < std::ssize(text); ++i) {
      ASSERT_EQ(segment[i], i > middle - text.begin() ? 1 : 0);
    }
  }
  testing::expect_uniform(cuts, "where rows are cut");
  EXPECT_EQ(batch.targets.lt(kFirstOrdinary).sum().item<std::int64_t>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Tasks, SentencePairTest,
                         ::testing::Values("next_sentence", "sentence_order"));

TEST(MaskedLm, RefusesPairsThatCannotBe) {
  testing::expect_error(ExitCode::kBadConfig, "give at most one",
                        [] { make_tiny(bert("next_sentence: true, sentence_order: true")); });
  testing::expect_error(ExitCode::kBadConfig, "with model.pooler=true",
                        [] { make_tiny(bert("next_sentence: true")); });
}

}  // namespace
}  // namespace pretrain
