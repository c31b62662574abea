// Fill in the middle: which rows are rearranged, how, and that no token is lost.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/objective.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/statistics.h"

namespace pretrain {
namespace {

using testing::make_tiny;
using testing::TinySetup;
using Tokens = std::vector<std::int64_t>;

constexpr std::int64_t kVocab = 50, kLength = 24, kPrefix = 5, kMiddle = 6, kSuffix = 7;
constexpr std::int64_t kRows = 20000;

TinySetup setup_of(const std::string& options) {
  TinySetup setup;
  setup.objective = "fill_in_middle";
  setup.objective_options = options;
  setup.layers = 1;
  return setup;
}

struct Parts {
  Tokens prefix, middle, suffix;
};

Parts parts_of(const Tokens& row) {
  Parts parts;
  EXPECT_EQ(row.front(), kPrefix);
  const auto second = std::find(row.begin(), row.end(), kSuffix);
  const auto middle = std::find(row.begin(), row.end(), kMiddle);
  EXPECT_TRUE(second < middle && middle != row.end());
  parts.prefix.assign(row.begin() + 1, second);
  parts.suffix.assign(second + 1, middle);
  parts.middle.assign(middle + 1, row.end());
  return parts;
}

TEST(FillInMiddle, RearrangesHalfOfTheRows) {
  const auto objective = make_tiny(setup_of("fim_suffix_first: 0"));
  const TokenBatch rows = testing::random_rows(*objective, kRows, kVocab);
  const Batch batch = objective->prepare(rows);
  EXPECT_EQ(batch.counts, Tokens{kRows * kLength});
  EXPECT_EQ(batch.inputs.lengths, Tokens(kRows, kLength));
  // A row is its inputs and the last target; the other targets are the inputs after the first.
  const at::Tensor inputs = batch.inputs.tokens.view({kRows, kLength});
  const at::Tensor targets = batch.targets.view({kRows, kLength});
  EXPECT_TRUE(at::equal(inputs.narrow(1, 1, kLength - 1), targets.narrow(1, 0, kLength - 1)));
  const at::Tensor seen = at::cat({inputs, targets.narrow(1, kLength - 1, 1)}, 1);

  constexpr std::size_t kText = kLength - 2;  // a row of kLength + 1, less three marks
  std::int64_t rearranged = 0;
  std::vector<std::int64_t> lengths(kText + 1);
  for (std::int64_t row = 0; row < kRows; ++row) {
    const auto* data = seen.const_data_ptr<std::int64_t>() + row * (kLength + 1);
    const auto* text = rows.tokens.const_data_ptr<std::int64_t>() + row * (kLength + 1);
    const Tokens shown(data, data + kLength + 1), original(text, text + kLength + 1);
    if (shown.front() != kPrefix) {
      ASSERT_EQ(shown, original);
      continue;
    }
    const Parts parts = parts_of(shown);
    Tokens joined = parts.prefix;
    joined.insert(joined.end(), parts.middle.begin(), parts.middle.end());
    joined.insert(joined.end(), parts.suffix.begin(), parts.suffix.end());
    ASSERT_EQ(joined, Tokens(text, text + kText));
    ++rearranged;
    ++lengths[parts.middle.size()];
  }
  testing::expect_share(rearranged, kRows, 0.5, "rearranged");
  // Two places of kText + 1, each alike: of (kText + 1)^2 pairs 2 (kText + 1 - m) are m apart.
  std::vector<double> expected;
  constexpr double kPairs = (kText + 1.0) * (kText + 1.0);
  expected.push_back((kText + 1.0) / kPairs);
  for (std::size_t m = 1; m <= kText; ++m) {
    expected.push_back(2.0 * static_cast<double>(kText + 1 - m) / kPairs);
  }
  testing::expect_distribution(lengths, expected, "lengths of middles");
}

// Rearranged or not, each document keeps its tokens and ends with what closes it.
TEST(FillInMiddle, PiecesAreDocumentsOfTheirOwn) {
  const auto objective = make_tiny(setup_of("fim_rate: 1"));
  const TokenBatch rows = testing::in_pieces(testing::random_rows(*objective, 200, kVocab), 8, 0);
  const Batch batch = objective->prepare(rows);
  const auto* text = rows.tokens.const_data_ptr<std::int64_t>();
  const auto* inputs = batch.inputs.tokens.const_data_ptr<std::int64_t>();
  std::size_t at = 0;
  for (const RowPiece& piece : rows.pieces) {
    const Tokens document(text, text + piece.tokens - 1);
    text += piece.tokens;
    if (piece.tokens < 2) continue;
    const std::int64_t length = batch.inputs.lengths.at(at++);
    ASSERT_EQ(length, std::ssize(document) + 3);
    const Parts parts = parts_of(Tokens(inputs, inputs + length));
    inputs += length;
    Tokens joined = parts.prefix;
    joined.insert(joined.end(), parts.middle.begin(), parts.middle.end());
    joined.insert(joined.end(), parts.suffix.begin(), parts.suffix.end());
    ASSERT_EQ(joined, document);
    ASSERT_EQ(*(batch.targets.const_data_ptr<std::int64_t>() +
                (inputs - batch.inputs.tokens.const_data_ptr<std::int64_t>()) - 1),
              0);
  }
  EXPECT_EQ(at, batch.inputs.lengths.size());
}

// Rows of all tokens: the inputs and the last target.
std::vector<Tokens> rows_shown(const std::string& options, std::int64_t rows) {
  const auto objective = make_tiny(setup_of(options));
  const Batch batch = objective->prepare(testing::random_rows(*objective, rows, kVocab));
  const auto* input = batch.inputs.tokens.const_data_ptr<std::int64_t>();
  const auto* target = batch.targets.const_data_ptr<std::int64_t>();
  std::vector<Tokens> shown;
  for (std::int64_t row = 0; row < rows; ++row) {
    shown.emplace_back(input + row * kLength, input + (row + 1) * kLength);
    shown.back().push_back(target[(row + 1) * kLength - 1]);
  }
  return shown;
}

// <PRE> prefix <SUF> suffix <MID> middle, or <PRE> <SUF> suffix <MID> prefix middle.
TEST(FillInMiddle, BothOrdersHaveTheSameParts) {
  constexpr std::int64_t kSome = 4000;
  const auto usual = rows_shown("fim_rate: 1, fim_suffix_first: 0", kSome);
  const auto other = rows_shown("fim_rate: 1, fim_suffix_first: 1", kSome);
  const auto mixed = rows_shown("fim_rate: 1", kSome);
  std::int64_t different = 0, suffix_first = 0;
  for (std::size_t row = 0; row < usual.size(); ++row) {
    const Parts parts = parts_of(usual[row]);
    Tokens expected{kPrefix, kSuffix};
    expected.insert(expected.end(), parts.suffix.begin(), parts.suffix.end());
    expected.push_back(kMiddle);
    expected.insert(expected.end(), parts.prefix.begin(), parts.prefix.end());
    expected.insert(expected.end(), parts.middle.begin(), parts.middle.end());
    ASSERT_EQ(other[row], expected);
    ASSERT_TRUE(mixed[row] == usual[row] || mixed[row] == other[row]);
    if (parts.prefix.empty()) continue;  // both orders are one
    ++different;
    suffix_first += mixed[row] == other[row];
  }
  testing::expect_share(suffix_first, different, 0.5, "suffix first");
}

TEST(FillInMiddle, NoRowIsRearrangedAtRateZero) {
  const auto objective = make_tiny(setup_of("fim_rate: 0"));
  const TokenBatch rows = testing::random_rows(*objective, 500, kVocab);
  EXPECT_TRUE(at::equal(objective->prepare(rows).inputs.tokens,
                        rows.tokens.narrow(1, 0, kLength).reshape(-1)));
}

TEST(FillInMiddle, RefusesRowsWithoutRoom) {
  TinySetup setup = setup_of("");
  setup.length = 7;
  testing::expect_error(ExitCode::kBadConfig, "at least 8 tokens", [&] { make_tiny(setup); });
}

}  // namespace
}  // namespace pretrain
