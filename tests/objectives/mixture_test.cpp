// Mixtures: which objective a sample is given to, and that each does what it does alone.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

#include "core/objective.h"
#include "core/optim/flat_buffer.h"
#include "core/run/evaluator.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/statistics.h"

namespace pretrain {
namespace {

using testing::make_tiny;
using testing::random_rows;
using testing::TinySetup;

constexpr std::int64_t kVocab = 50;

TinySetup setup_of(const std::string& objective, const std::string& options = "") {
  TinySetup setup;
  setup.objective = objective;
  setup.model = "gpt2";
  setup.objective_options = options;
  setup.layers = 1;
  return setup;
}

TEST(Mixture, SamplesAreSharedByWeight) {
  constexpr std::int64_t kRows = 20000;
  const auto objective =
      make_tiny(setup_of("mixture",
                         "parts: [{name: causal_lm, weight: 5}, {name: fill_in_middle, weight: 0}, "
                         "{name: prefix_lm, weight: 2}, {name: span_corruption}]"));
  const std::vector<double> shares{0.625, 0.25, 0.125};
  const Batch batch = objective->prepare(random_rows(*objective, kRows, kVocab));
  ASSERT_EQ(batch.parts.size(), shares.size());
  ASSERT_EQ(objective->terms().size(), shares.size());
  std::vector<std::int64_t> counts;
  std::set<std::uint64_t> ids;
  std::int64_t positions = 0;
  for (std::size_t part = 0; part < shares.size(); ++part) {
    const Batch& own = batch.parts[part];
    EXPECT_EQ(objective->terms()[part].weight, 1) << "the share of samples is all of its weight";
    EXPECT_EQ(objective->terms()[part].part, static_cast<std::int64_t>(part));
    EXPECT_EQ(batch.counts[part], own.counts[0]);
    counts.push_back(std::ssize(own.sample_ids));
    testing::expect_share(counts.back(), kRows, shares[part], objective->terms()[part].name);
    ids.insert(own.sample_ids.begin(), own.sample_ids.end());
    positions += own.positions;
  }
  testing::expect_distribution(counts, shares);
  EXPECT_EQ(std::ssize(ids), kRows) << "each sample has one objective";
  EXPECT_EQ(batch.positions, positions);
}

TEST(Mixture, EachPartIsWhatItsObjectiveMakesAlone) {
  const std::vector<std::string> names{"causal_lm", "prefix_lm", "span_corruption"};
  const auto mixture = make_tiny(setup_of(
      "mixture", "parts: [{name: causal_lm}, {name: prefix_lm}, {name: span_corruption}]"));
  const TokenBatch rows = random_rows(*mixture, 60, kVocab);
  const Batch batch = mixture->prepare(rows);
  const auto losses = mixture->loss(batch);
  for (std::size_t part = 0; part < names.size(); ++part) {
    const auto objective = make_tiny(setup_of(names[part]));
    const auto& ids = batch.parts[part].sample_ids;
    ASSERT_FALSE(ids.empty());
    const std::vector<std::int64_t> index(ids.begin(), ids.end());
    TokenBatch own;
    own.tokens = rows.tokens.index_select(0, at::tensor(index))
                     .narrow(1, 0, objective->row_shape().tokens)
                     .contiguous();
    own.sample_ids = own.row_ids = ids;
    own.epochs.assign(ids.size(), 0);
    const Batch alone = objective->prepare(own);
    EXPECT_TRUE(at::equal(alone.inputs.tokens, batch.parts[part].inputs.tokens)) << names[part];
    EXPECT_TRUE(at::equal(alone.targets, batch.parts[part].targets)) << names[part];
    EXPECT_EQ(objective->loss(alone)[0].item<double>(), losses[part].item<double>());
  }
}

TEST(Mixture, APartWithoutSamplesCostsNothing) {
  const auto objective =
      make_tiny(setup_of("mixture", "parts: [{name: causal_lm}, {name: prefix_lm}]"));
  const Batch batch = objective->prepare(random_rows(*objective, 1, kVocab));
  const auto losses = objective->loss(batch);
  const std::size_t empty = batch.counts[0] == 0 ? 0 : 1;
  EXPECT_EQ(batch.counts[empty], 0);
  EXPECT_EQ(losses[empty].item<double>(), 0);
  EXPECT_GT(losses[1 - empty].item<double>(), 0);
}

// Loss and gradient as the trainer makes them of one batch; the loss as an evaluation tells it.
struct Learned {
  double loss = 0, evaluated = 0;
  at::Tensor gradient;
};

Learned learn(Objective& objective, std::int64_t rows) {
  FlatBuffer parameters(objective);
  parameters.zero_gradients();
  const Batch batch = objective.prepare(random_rows(objective, rows, kVocab));
  const std::vector<double> counts(batch.counts.begin(), batch.counts.end());
  const std::vector<double> factors = term_factors(objective.terms(), counts.data());
  const auto losses = objective.loss(batch);
  EvaluationResult result;
  at::Tensor total = at::zeros({});
  for (std::size_t i = 0; i < losses.size(); ++i) {
    total = total + losses[i] * factors[i];
    result.terms.push_back({objective.terms()[i], losses[i].item<double>(), counts[i]});
  }
  total.backward();
  return {total.item<double>(), result.loss(), parameters.gradients().clone()};
}

// Weights say how many samples a part gets and nothing else, so equal parts are one objective.
TEST(Mixture, EqualPartsLearnWhatOneLearns) {
  for (const std::string name : {"causal_lm", "prefix_lm", "fill_in_middle"}) {
    const auto alone = make_tiny(setup_of(name));
    const auto mixture =
        make_tiny(setup_of("mixture", "parts: [{name: " + name + ", weight: 9}, {name: " + name +
                                          ", label: second}]"));
    for (const std::int64_t rows : {1, 2, 3, 24}) {
      const Learned one = learn(*alone, rows), mixed = learn(*mixture, rows);
      EXPECT_NEAR(mixed.loss / one.loss, 1, 1e-6) << name << " " << rows;
      EXPECT_NEAR(mixed.evaluated / one.loss, 1, 1e-6) << name << " " << rows;
      const double apart = (mixed.gradient - one.gradient).norm().item<double>();
      EXPECT_LT(apart, 1e-6 * one.gradient.norm().item<double>()) << name << " " << rows;
    }
  }
}

// Some rows of a batch, with their pieces.
TokenBatch some_rows(const TokenBatch& batch, std::size_t first, std::size_t count) {
  TokenBatch some;
  std::vector<at::Tensor> tokens;
  std::int64_t start = 0;
  for (RowPiece piece : batch.pieces) {
    const auto size = static_cast<std::int64_t>(piece.tokens);
    if (piece.row >= first && piece.row < first + count) {
      tokens.push_back(batch.tokens.narrow(0, start, size));
      piece.row -= first;
      some.pieces.push_back(piece);
    }
    start += size;
  }
  some.tokens = at::cat(tokens);
  const auto part = [&](const std::vector<std::uint64_t>& all) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
    return std::vector<std::uint64_t>(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  some.sample_ids = part(batch.sample_ids);
  some.row_ids = part(batch.row_ids);
  some.epochs = part(batch.epochs);
  return some;
}

// Rows of whole documents, as first_fit and best_fit make them.
TokenBatch packed_rows(const Objective& objective, std::int64_t rows) {
  return testing::in_pieces(random_rows(objective, rows, kVocab), 7, 0);
}

TEST(Mixture, OnePartIsItsObjectiveAlsoInPieces) {
  for (const std::string name :
       {"causal_lm", "prefix_lm", "fill_in_middle", "span_corruption", "masked_lm"}) {
    TinySetup own = setup_of(name);
    TinySetup mixed = setup_of("mixture", "parts: [{name: " + name + "}]");
    own.model = mixed.model = name == "masked_lm" ? "bert" : "gpt2";
    const auto alone = make_tiny(own), mixture = make_tiny(mixed);
    const RowShape shape = mixture->row_shape();
    EXPECT_EQ(shape.tokens, alone->row_shape().tokens) << name;
    EXPECT_EQ(shape.overlap, alone->row_shape().overlap) << name;
    EXPECT_EQ(shape.marks, alone->row_shape().marks) << name;
    ASSERT_TRUE(shape.pieces) << name;
    const TokenBatch rows = packed_rows(*alone, 6);
    const Batch expected = alone->prepare(rows), batch = mixture->prepare(rows);
    EXPECT_TRUE(at::equal(batch.parts[0].inputs.tokens, expected.inputs.tokens)) << name;
    EXPECT_EQ(batch.parts[0].inputs.lengths, expected.inputs.lengths) << name;
    EXPECT_EQ(batch.parts[0].inputs.keys, expected.inputs.keys) << name;
    EXPECT_TRUE(at::equal(batch.parts[0].targets, expected.targets)) << name;
    EXPECT_EQ(batch.counts, expected.counts) << name;
    EXPECT_EQ(mixture->loss(batch)[0].item<double>(), alone->loss(expected)[0].item<double>());
  }
}

// However the rows are dealt to ranks and micro batches.
TEST(Mixture, AnySplitOfPackedRowsGivesOneGradient) {
  const auto mixture = make_tiny(setup_of(
      "mixture", "parts: [{name: causal_lm}, {name: prefix_lm}, {name: span_corruption}]"));
  const TokenBatch rows = packed_rows(*mixture, 12);
  FlatBuffer parameters(*mixture);
  const Batch whole = mixture->prepare(rows);
  const std::vector<double> counts(whole.counts.begin(), whole.counts.end());
  const std::vector<double> factors = term_factors(mixture->terms(), counts.data());
  const auto gradient = [&](std::size_t size) {
    parameters.zero_gradients();
    std::vector<std::int64_t> sums(counts.size());
    for (std::size_t first = 0; first < 12; first += size) {
      const Batch batch = mixture->prepare(some_rows(rows, first, size));
      const auto losses = mixture->loss(batch);
      at::Tensor total = at::zeros({});
      for (std::size_t i = 0; i < losses.size(); ++i) {
        total = total + losses[i] * factors[i];
        sums[i] += batch.counts[i];
      }
      if (total.requires_grad()) total.backward();
    }
    EXPECT_EQ(sums, whole.counts) << size;
    return parameters.gradients().clone();
  };
  const at::Tensor expected = gradient(12);
  for (const std::size_t size : {1, 2, 3, 4, 6}) {
    const double apart = (gradient(size) - expected).norm().item<double>();
    EXPECT_LT(apart, 1e-5 * expected.norm().item<double>()) << size;
  }
}

// A part with shorter rows takes the first of their text, as it does of whole ones.
TEST(Mixture, PartsTakeNoMoreOfPiecesThanTheirRowsHold) {
  const auto mixture =
      make_tiny(setup_of("mixture", "parts: [{name: causal_lm}, {name: span_corruption}]"));
  const std::int64_t text = make_tiny(setup_of("span_corruption"))->row_shape().tokens;
  ASSERT_LT(text, mixture->row_shape().tokens);
  const Batch batch = mixture->prepare(packed_rows(*mixture, 20));
  const Batch& part = batch.parts[1];
  ASSERT_GT(part.sample_ids.size(), 0U);
  EXPECT_GT(part.inputs.lengths.size(), part.sample_ids.size());
  // A decoder's row holds input and target: each token of the text once.
  const auto taken = part.inputs.tokens.ge(testing::kFirstOrdinary).sum().item<std::int64_t>();
  EXPECT_LE(taken, text * std::ssize(part.sample_ids));
}

// The further terms of a part count by its share.
TEST(Mixture, PartsWithSeveralTermsCountByTheirShare) {
  const std::vector<LossTerm> terms{{"a.x", 1, 0}, {"a.y", 50, 0}, {"b.x", 2, 1}, {"c.x", 1, 2}};
  const std::vector<double> targets{30, 5, 10, 0};
  EXPECT_EQ(leading_targets(terms, targets.data()), 40);
  const std::vector<double> factors = term_factors(terms, targets.data());
  const std::vector<double> expected{1.0 / 40, 50 * 0.75 / 5, 2.0 / 40, 0};
  for (std::size_t i = 0; i < terms.size(); ++i) EXPECT_DOUBLE_EQ(factors[i], expected[i]);
}

TEST(Mixture, RefusesWhatCannotBe) {
  testing::expect_error(ExitCode::kBadConfig, "a part names no objective",
                        [] { make_tiny(setup_of("mixture", "parts: [{name: mixture}]")); });
  testing::expect_error(ExitCode::kBadConfig, "at least one objective", [] {
    make_tiny(setup_of("mixture", "parts: [{name: causal_lm, weight: 0}]"));
  });
  testing::expect_error(ExitCode::kBadConfig, "two parts are called causal_lm", [] {
    make_tiny(setup_of("mixture", "parts: [{name: causal_lm}, {name: causal_lm}]"));
  });
}

TEST(Mixture, PartsHaveTheirOwnOptions) {
  const auto mixture = make_tiny(
      setup_of("mixture",
               "parts: [{name: span_corruption, label: short, mean_span: 1, sentinels: 8}, "
               "{name: span_corruption, label: long, mean_span: 6, noise_density: 0.5, "
               "sentinels: 8}, {name: prefix_lm, prefix: 0.25, weight: 2}]"));
  ASSERT_EQ(mixture->terms().size(), 3);
  EXPECT_EQ(mixture->terms()[0].name, "short.lm");
  EXPECT_EQ(mixture->terms()[1].name, "long.lm");
  EXPECT_EQ(mixture->terms()[2].name, "prefix_lm.lm");
  const TokenBatch rows = random_rows(*mixture, 60, kVocab);
  const Batch batch = mixture->prepare(rows);
  const auto per_sequence = [&](std::size_t part) {
    return static_cast<double>(batch.counts[part]) /
           static_cast<double>(batch.parts[part].inputs.lengths.size());
  };
  // A text of 18 tokens: 3 spans of one, each with its sentinel; 9 tokens in 2 spans; and eos.
  EXPECT_EQ(per_sequence(0), 3 + 3 + 1);
  EXPECT_EQ(per_sequence(1), 9 + 2 + 1);
  EXPECT_EQ(batch.parts[2].inputs.prefixes.front(), 6);
}

}  // namespace
}  // namespace pretrain
