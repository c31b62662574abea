// Mixtures: which objective a sample is given to, and that each does what it does alone.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

#include "core/objective.h"
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
                         "weights: {causal_lm: 5, fill_in_middle: 0, prefix_lm: 2, "
                         "span_corruption: 1}"));
  const std::vector<double> shares{0.625, 0.25, 0.125};
  const Batch batch = objective->prepare(random_rows(*objective, kRows, kVocab));
  ASSERT_EQ(batch.parts.size(), shares.size());
  ASSERT_EQ(objective->terms().size(), shares.size());
  std::vector<std::int64_t> counts;
  std::set<std::uint64_t> ids;
  std::int64_t positions = 0;
  for (std::size_t part = 0; part < shares.size(); ++part) {
    const Batch& own = batch.parts[part];
    EXPECT_DOUBLE_EQ(objective->terms()[part].weight, shares[part]);
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
  const auto mixture =
      make_tiny(setup_of("mixture", "weights: {causal_lm: 1, prefix_lm: 1, span_corruption: 1}"));
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
  const auto objective = make_tiny(setup_of("mixture", "weights: {causal_lm: 1, prefix_lm: 1}"));
  const Batch batch = objective->prepare(random_rows(*objective, 1, kVocab));
  const auto losses = objective->loss(batch);
  const std::size_t empty = batch.counts[0] == 0 ? 0 : 1;
  EXPECT_EQ(batch.counts[empty], 0);
  EXPECT_EQ(losses[empty].item<double>(), 0);
  EXPECT_GT(losses[1 - empty].item<double>(), 0);
}

TEST(Mixture, RefusesWhatCannotBe) {
  testing::expect_error(ExitCode::kBadConfig, "mixture in itself",
                        [] { make_tiny(setup_of("mixture", "weights: {mixture: 1}")); });
  testing::expect_error(ExitCode::kBadConfig, "at least one objective",
                        [] { make_tiny(setup_of("mixture", "weights: {causal_lm: 0}")); });
}

}  // namespace
}  // namespace pretrain
