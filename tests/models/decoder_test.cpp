#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/optim/flat_buffer.h"
#include "core/optimizer.h"
#include "objectives/losses/linear_cross_entropy.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using testing::as_sequences;
using testing::make_tiny_objective;

constexpr std::int64_t kVocab = 50;
constexpr std::int64_t kLength = 24;

at::Tensor random_tokens(std::int64_t rows, std::int64_t length) {
  at::manual_seed(3);
  return at::randint(0, kVocab, {rows, length}, at::kLong);
}

TEST(Decoder, LaterTokensLeaveEarlierFeaturesAsTheyWere) {
  const auto objective = make_tiny_objective("causal_lm", kVocab, kLength);
  const at::NoGradGuard no_grad;
  const at::Tensor tokens = random_tokens(2, kLength);
  const auto features = [&](const at::Tensor& ids) {
    const Sequences sequences = as_sequences(ids);
    return objective->model().forward({sequences}).view({2, kLength, -1});
  };
  const at::Tensor before = features(tokens);
  for (std::int64_t t : {1, 7, 23}) {
    at::Tensor changed = tokens.clone();
    changed.narrow(1, t, kLength - t).add_(1).remainder_(kVocab);
    const at::Tensor after = features(changed);
    EXPECT_TRUE(at::equal(before.narrow(1, 0, t), after.narrow(1, 0, t))) << "position " << t;
    EXPECT_FALSE(at::equal(before.select(1, t), after.select(1, t)));
  }
}

TEST(Decoder, CacheGivesTheSameFeatures) {
  const auto objective = make_tiny_objective("causal_lm", kVocab, kLength);
  const at::NoGradGuard no_grad;
  Model& model = objective->model();
  const at::Tensor tokens = random_tokens(1, kLength);
  const Sequences all = as_sequences(tokens);
  const at::Tensor whole = model.forward({all});
  for (const std::vector<std::int64_t>& parts :
       {std::vector<std::int64_t>{1, 1, 1, 21}, {10, 14}, {23, 1}, {24}}) {
    KeyValueCache cache;
    std::int64_t at_position = 0;
    for (std::int64_t part : parts) {
      const Sequences next = as_sequences(tokens.narrow(1, at_position, part));
      const at::Tensor features = model.forward({next, Pattern::kCausal, nullptr, &cache});
      const at::Tensor expected = whole.narrow(0, at_position, part);
      EXPECT_LT((features - expected).abs().max().item<double>(), 1e-5);
      at_position += part;
    }
    EXPECT_EQ(cache.length, kLength);
  }
}

TEST(Decoder, FirstLossIsThatOfAUniformGuess) {
  for (const auto compute : {at::kFloat, at::kBFloat16}) {
    const auto objective = make_tiny_objective("causal_lm", kVocab, kLength, compute);
    const TokenBatch tokens{random_tokens(16, kLength + 1), {}, {}, {}, {}, {}};
    const Batch batch = objective->prepare(tokens);
    const double mean = objective->loss(batch)[0].item<double>() / 384;
    EXPECT_EQ(batch.counts[0], 384);
    EXPECT_NEAR(mean, std::log(kVocab), 0.1);
  }
}

TEST(Decoder, LearnsOneBatchByHeart) {
  at::set_num_threads(1);  // operators this small only wait for a second thread
  for (const auto compute : {at::kFloat, at::kBFloat16}) {
    const auto objective = make_tiny_objective("causal_lm", kVocab, kLength, compute);
    FlatBuffer parameters(*objective);
    const auto optimizer = optimizers().create("adamw", OptimizerContext{&parameters, 0.0});
    const Batch batch = objective->prepare({random_tokens(4, kLength + 1), {}, {}, {}, {}, {}});
    double mean = 0;
    for (int step = 0; step < 300; ++step) {
      parameters.zero_gradients();
      const at::Tensor loss = objective->loss(batch)[0] / static_cast<double>(batch.counts[0]);
      loss.backward();
      optimizer->step(3e-3, 1.0);
      mean = loss.item<double>();
    }
    EXPECT_LT(mean, 0.05);
  }
}

// Central differences in fp32 over a direction of all parameters at once.
TEST(Decoder, GradientIsThatOfTheLoss) {
  const auto objective = make_tiny_objective("causal_lm", kVocab, kLength);
  FlatBuffer parameters(*objective);
  const Batch batch = objective->prepare({random_tokens(4, kLength + 1), {}, {}, {}, {}, {}});
  objective->loss(batch)[0].backward();
  const at::NoGradGuard no_grad;
  for (const FlatBuffer::Entry& entry : parameters.entries()) {
    const at::Tensor gradient = parameters.gradients().narrow(0, entry.begin, entry.count);
    const at::Tensor values = parameters.values().narrow(0, entry.begin, entry.count);
    const double norm = gradient.norm().item<double>();
    ASSERT_GT(norm, 0) << entry.name;
    const double step = 2e-2 / norm * std::sqrt(values.norm().item<double>() + 0.1);
    const at::Tensor direction = gradient / norm;
    values.add_(direction, step);
    const double above = objective->loss(batch)[0].item<double>();
    values.sub_(direction, 2 * step);
    const double below = objective->loss(batch)[0].item<double>();
    values.add_(direction, step);
    EXPECT_NEAR((above - below) / (2 * step) / norm, 1.0, 0.03) << entry.name;
  }
}

TEST(Decoder, InitialWeightsHaveTheirSpreadAndNoHistory) {
  const auto objective = make_tiny_objective("causal_lm", kVocab, kLength);
  at::set_num_threads(2);
  const auto again = make_tiny_objective("causal_lm", kVocab, kLength);
  at::set_num_threads(1);
  const auto other = make_tiny_objective("causal_lm", kVocab, kLength, at::kFloat, 2);
  const auto ours = objective->named_parameters();
  for (const auto& item : ours) {
    EXPECT_TRUE(at::equal(item.value(), again->named_parameters()[item.key()])) << item.key();
    if (item.value().dim() < 2) continue;
    EXPECT_FALSE(at::equal(item.value(), other->named_parameters()[item.key()])) << item.key();
    const bool residual =
        item.key().ends_with("output.weight") || item.key().ends_with("down.weight");
    const double expected = residual ? 0.02 / std::sqrt(2.0 * 2) : 0.02;
    const double count = static_cast<double>(item.value().numel());
    EXPECT_NEAR(item.value().std().item<double>() / expected, 1.0, 5 / std::sqrt(2 * count))
        << item.key();
  }
}

TEST(Decoder, RefusesRowsBeyondItsPositions) {
  const auto objective = make_tiny_objective("causal_lm", kVocab, kLength);
  testing::expect_error(ExitCode::kBadData, "25 positions, but it was built for 24", [&] {
    const Sequences long_row = as_sequences(random_tokens(1, kLength + 1));
    objective->model().forward({long_row});
  });
}

}  // namespace
}  // namespace pretrain
