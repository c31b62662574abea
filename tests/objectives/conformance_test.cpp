// What every registered objective must do on every registered model: train on it, or refuse it with
// a reason.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/optim/flat_buffer.h"
#include "core/optimizer.h"
#include "tests/objectives/tiny_objective.h"

namespace pretrain {
namespace {

using testing::make_tiny;
using testing::TinySetup;

constexpr std::int64_t kVocab = 50;

const std::set<std::pair<std::string, std::string>> kFitting{
    {"causal_lm", "gpt1"},       {"causal_lm", "gpt2"},
    {"causal_lm", "llama"},      {"fill_in_middle", "gpt1"},
    {"fill_in_middle", "gpt2"},  {"fill_in_middle", "llama"},
    {"masked_lm", "bert"},       {"masked_lm", "roberta"},
    {"mixture", "gpt1"},         {"mixture", "gpt2"},
    {"mixture", "llama"},        {"prefix_lm", "gpt1"},
    {"prefix_lm", "gpt2"},       {"prefix_lm", "llama"},
    {"prefix_lm", "t5"},         {"span_corruption", "gpt1"},
    {"span_corruption", "gpt2"}, {"span_corruption", "llama"},
    {"span_corruption", "t5"},   {"replaced_token_detection", "electra"},
};

using Pair = std::tuple<std::string, std::string>;

class ObjectiveModelTest : public ::testing::TestWithParam<Pair> {
 protected:
  void SetUp() override {
    at::set_num_threads(1);
    std::tie(setup_.objective, setup_.model) = GetParam();
  }
  bool fits() const { return kFitting.contains({setup_.objective, setup_.model}); }
  TinySetup setup_;
};

TEST_P(ObjectiveModelTest, TrainsOrRefuses) {
  if (!fits()) {
    try {
      make_tiny(setup_);
      ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadConfig);
      EXPECT_THAT(error.what(), ::testing::HasSubstr("model.name " + setup_.model + " is "));
      EXPECT_THAT(error.what(), ::testing::HasSubstr("Choose another model.name"));
    }
    return;
  }
  const auto objective = make_tiny(setup_);
  FlatBuffer parameters(*objective);
  const auto optimizer = optimizers().create("adamw", OptimizerContext{&parameters, 0.0});
  const Batch batch = objective->prepare(testing::random_rows(*objective, 8, kVocab));
  const auto& terms = objective->terms();
  ASSERT_EQ(batch.counts.size(), terms.size());
  std::vector<double> means;
  for (int step = 0; step < 60; ++step) {
    parameters.zero_gradients();
    const auto losses = objective->loss(batch);
    ASSERT_EQ(losses.size(), terms.size());
    at::Tensor total = at::zeros({});
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (batch.counts[i] > 0) {
        total = total + losses[i] * (terms[i].weight / static_cast<double>(batch.counts[i]));
      }
    }
    total.backward();
    ASSERT_TRUE(std::isfinite(total.item<double>()));
    optimizer->step(3e-3, 1.0);
    means.push_back(losses[0].item<double>() / static_cast<double>(batch.counts[0]));
  }
  // The first term is of tokens: a fresh model guesses, a trained one does better.
  // T5's table has unit variance, and so have the first logits: half of it comes on top.
  const double guess = std::log(kVocab) + (setup_.model == "t5" ? 0.8 : 0.0);
  EXPECT_NEAR(means.front(), guess, 0.35);
  EXPECT_LT(means.back(), 0.9 * means.front());
}

using FittingPairTest = ObjectiveModelTest;

// What is prepared depends on each sample alone: not on the others in the batch, not on calls
// before.
TEST_P(FittingPairTest, PreparesEachSampleByItsAddress) {
  const auto objective = make_tiny(setup_);
  const Batch together = objective->prepare(testing::random_rows(*objective, 6, kVocab));
  std::vector<at::Tensor> tokens, targets;
  std::int64_t count = 0;
  for (std::uint64_t sample = 0; sample < 6; ++sample) {
    const Batch one = objective->prepare(testing::random_rows(*objective, 1, kVocab, sample));
    count += one.counts[0];
    if (!one.parts.empty()) continue;  // a mixture's parts are tested as objectives
    tokens.push_back(one.inputs.tokens);
    targets.push_back(one.targets);
    EXPECT_EQ(one.inputs.keys[0], together.inputs.keys[sample]);
  }
  EXPECT_EQ(count, together.counts[0]);
  if (tokens.empty()) return;
  EXPECT_TRUE(at::equal(at::cat(tokens), together.inputs.tokens));
  EXPECT_TRUE(at::equal(at::cat(targets), together.targets));
}

std::string pair_name(const ::testing::TestParamInfo<Pair>& test) {
  return std::get<0>(test.param) + "_" + std::get<1>(test.param);
}

std::vector<std::string> shipped_objectives() {
  std::vector<std::string> names = objectives().names();
  std::erase(names, "skip_one_lm");  // a test's own
  return names;
}

INSTANTIATE_TEST_SUITE_P(Pairs, ObjectiveModelTest,
                         ::testing::Combine(::testing::ValuesIn(shipped_objectives()),
                                            ::testing::ValuesIn(models().names())),
                         pair_name);
INSTANTIATE_TEST_SUITE_P(Pairs, FittingPairTest,
                         ::testing::ValuesIn(std::vector<Pair>(kFitting.begin(), kFitting.end())),
                         pair_name);

}  // namespace
}  // namespace pretrain
