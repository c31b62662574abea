// Replaced token detection. With the main encoder's last layer set to a constant logit, the loss
// tells how many tokens were replaced.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/base/random.h"
#include "core/config/config_loader.h"
#include "core/optim/flat_buffer.h"
#include "core/optimizer.h"
#include "models/electra.h"
#include "objectives/losses/binary_cross_entropy.h"
#include "objectives/losses/linear_cross_entropy.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/statistics.h"

namespace pretrain {
namespace {

using testing::kFirstOrdinary;
using testing::make_tiny;
using testing::random_rows;
using testing::TinySetup;

constexpr std::int64_t kVocab = 50;
constexpr std::int64_t kFavourite = 30;

std::unique_ptr<Objective> electra(const std::string& options, const std::string& model = "") {
  at::set_num_threads(1);
  TinySetup setup;
  setup.objective = "replaced_token_detection";
  setup.objective_options = options;
  setup.model_options = model;
  setup.layers = 1;
  return make_tiny(setup);
}

at::Tensor parameter(Objective& objective, const std::string& name) {
  return objective.named_parameters()["model." + name];
}

// The generator says the favourite with this logit above all others.
void favour(Objective& objective, double logit) {
  const at::NoGradGuard no_grad;
  parameter(objective, "generator_prediction.bias")[kFavourite] = logit;
}

// Half of the tokens are the favourite.
TokenBatch biased_rows(const Objective& objective, std::int64_t rows) {
  TokenBatch batch = random_rows(objective, rows, kVocab);
  RandomStream random(31, RandomPurpose::kTest, 0);
  auto* tokens = batch.tokens.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < batch.tokens.numel(); ++i) {
    if (random.uniform() < 0.5) tokens[i] = kFavourite;
  }
  return batch;
}

at::Tensor generator_logits(Objective& objective, const Batch& batch) {
  auto& model = dynamic_cast<Electra&>(objective.model());
  const at::Tensor features = model.generate(batch.inputs).index_select(0, batch.target_rows);
  return logits_of(model.generator_head_features(features), model.generator_head());
}

// Each position costs log(1 + e), less 1 if it was replaced.
std::int64_t replaced_count(Objective& objective, const Batch& batch) {
  const at::NoGradGuard no_grad;
  parameter(objective, "replaced_output.weight").zero_();
  parameter(objective, "replaced_output.bias").fill_(1.0);
  const double loss = objective.loss(batch)[1].item<double>();
  return std::llround(static_cast<double>(batch.counts[1]) * std::log1p(std::exp(1.0)) - loss);
}

double gradient_of(Objective& objective, const std::string& prefix) {
  double largest = 0;
  std::int64_t count = 0;
  for (const auto& item : objective.named_parameters()) {
    if (!item.key().starts_with("model." + prefix)) continue;
    ++count;
    const at::Tensor gradient = item.value().grad();
    if (gradient.defined()) largest = std::max(largest, gradient.abs().max().item<double>());
  }
  EXPECT_GT(count, 0) << prefix;
  return largest;
}

TEST(ReplacedTokens, EverySampleIsAReplacementIfCorrectOnesAreDisallowed) {
  const auto objective = electra("disallow_correct: true");
  favour(*objective, 20);
  const Batch batch = objective->prepare(biased_rows(*objective, 200));
  EXPECT_EQ(batch.targets.numel(), 200 * 3);
  EXPECT_EQ(replaced_count(*objective, batch), batch.targets.numel());
}

TEST(ReplacedTokens, ACorrectSampleCountsAsOriginal) {
  const auto objective = electra("temperature: 0.001");
  favour(*objective, 20);
  const Batch batch = objective->prepare(biased_rows(*objective, 200));
  const std::int64_t wrong = batch.targets.ne(kFavourite).sum().item<std::int64_t>();
  EXPECT_GT(wrong, 100);
  EXPECT_LT(wrong, 500);
  EXPECT_EQ(replaced_count(*objective, batch), wrong);
}

TEST(ReplacedTokens, ShareOfReplacedIsWhatTheGeneratorMisses) {
  const auto objective = electra("");
  favour(*objective, 3.5);  // about as often as it is right
  const Batch batch = objective->prepare(biased_rows(*objective, 4000));
  const at::NoGradGuard no_grad;
  const at::Tensor right = generator_logits(*objective, batch)
                               .softmax(-1)
                               .gather(1, batch.targets.unsqueeze(1))
                               .to(at::kDouble);
  const double accuracy = right.mean().item<double>();
  EXPECT_GT(accuracy, 0.2);
  EXPECT_LT(accuracy, 0.5);
  testing::expect_mean(static_cast<double>(replaced_count(*objective, batch)),
                       batch.targets.numel(), 1 - accuracy,
                       (right * (1 - right)).mean().item<double>());
}

TEST(ReplacedTokens, UniformReplacementsAreAnyToken) {
  const auto objective = electra("replacement: uniform");
  const Batch batch = objective->prepare(random_rows(*objective, 4000, kVocab));
  const auto losses = objective->loss(batch);
  EXPECT_EQ(losses[0].item<double>(), 0);
  EXPECT_EQ(objective->terms()[0].weight, 0);
  const std::int64_t replaced = replaced_count(*objective, batch);
  testing::expect_share(replaced, batch.targets.numel(), 1 - 1.0 / kVocab);
}

// The discriminator's term from its parts, with samples that are known.
TEST(ReplacedTokens, LossIsTheBinaryCrossEntropyOfAllOrMaskedPositions) {
  for (const char* variant : {"electra", "electra_15"}) {
    const auto objective = electra(std::string("temperature: 0.001, variant: ") + variant);
    favour(*objective, 20);
    const Batch batch = objective->prepare(biased_rows(*objective, 50));
    const auto losses = objective->loss(batch);
    const bool everywhere = std::string(variant) == "electra";
    EXPECT_EQ(batch.counts[0], 50 * 3);
    EXPECT_EQ(batch.counts[1], everywhere ? 50 * 24 : 50 * 3);

    auto& model = dynamic_cast<Electra&>(objective->model());
    Sequences corrupted = batch.inputs;
    corrupted.tokens = batch.inputs.tokens.index_fill(0, batch.target_rows, kFavourite);
    const at::Tensor originals =
        batch.inputs.tokens.index_copy(0, batch.target_rows, batch.targets);
    at::Tensor logits = model.replaced_logits(model.forward({corrupted, Pattern::kBidirectional}));
    at::Tensor labels = corrupted.tokens.ne(originals);
    if (!everywhere) {
      logits = logits.index_select(0, batch.target_rows);
      labels = labels.index_select(0, batch.target_rows);
    }
    const double expected = sum_binary_cross_entropy(logits, labels).item<double>();
    EXPECT_NEAR(losses[1].item<double>() / expected, 1, 1e-5) << variant;
    const double generator = at::cross_entropy_loss(generator_logits(*objective, batch),
                                                    batch.targets, {}, at::Reduction::Sum)
                                 .item<double>();
    EXPECT_NEAR(losses[0].item<double>() / generator, 1, 1e-5) << variant;
  }
}

TEST(ReplacedTokens, NoGradientPassesThroughSamples) {
  for (const char* variant : {"electra", "electra_15", "replace_mlm", "all_tokens_mlm"}) {
    const auto objective = electra(std::string("variant: ") + variant, "token_head: true");
    const Batch batch = objective->prepare(random_rows(*objective, 8, kVocab));
    objective->loss(batch)[1].backward();
    EXPECT_EQ(gradient_of(*objective, "generator_"), 0) << variant;
    EXPECT_GT(gradient_of(*objective, "stack"), 0) << variant;
    EXPECT_GT(gradient_of(*objective, "embeddings"), 0) << variant;
    objective->zero_grad();
    objective->loss(batch)[0].backward();
    EXPECT_GT(gradient_of(*objective, "generator_"), 0) << variant;
    EXPECT_EQ(gradient_of(*objective, "stack"), 0) << variant;
    EXPECT_EQ(gradient_of(*objective, "replaced_"), 0) << variant;
  }
}

TEST(ReplacedTokens, AStageLeavesTheOtherNetworkAsItIs) {
  for (const bool generates : {true, false}) {
    const auto objective =
        electra(generates ? "stage: generator" : "stage: discriminator", "share_embeddings: false");
    const Batch batch = objective->prepare(random_rows(*objective, 8, kVocab));
    const auto losses = objective->loss(batch);
    at::Tensor total = at::zeros({});
    for (std::size_t i = 0; i < 2; ++i) total = total + losses[i] * objective->terms()[i].weight;
    total.backward();
    EXPECT_EQ(gradient_of(*objective, "generator_") > 0, generates);
    EXPECT_EQ(gradient_of(*objective, "stack") > 0, !generates);
    EXPECT_EQ(gradient_of(*objective, "replaced_") > 0, !generates);
    EXPECT_EQ(gradient_of(*objective, "embeddings") > 0, !generates);
    EXPECT_EQ(objective->terms()[generates ? 1 : 0].weight, 0);
  }
}

// Two stages: the second one starts from the first one's generator and leaves it as it is.
TEST(ReplacedTokens, TheSecondStageKeepsTheGenerator) {
  const std::string own = "share_embeddings: false, token_head: true, generator: {size: 1}";
  for (const char* stage : {"discriminator", "generator"}) {
    const auto objective = electra(std::string("stage: ") + stage, own);
    const bool generates = std::string(stage) == "generator";
    objective->start_from(parse_config_text("stage: generator", "first"));
    EXPECT_EQ(at::equal(parameter(*objective, "embeddings.token"),
                        parameter(*objective, "generator_embeddings.token")),
              !generates);
    FlatBuffer parameters(*objective);
    const auto optimizer = optimizers().create("adamw", OptimizerContext{&parameters, 0.1});
    std::map<std::string, at::Tensor> before;
    for (const auto& item : objective->named_parameters()) {
      before[item.key()] = item.value().detach().clone();
    }
    for (std::uint64_t step = 0; step < 20; ++step) {
      parameters.zero_gradients();
      const Batch batch = objective->prepare(random_rows(*objective, 4, kVocab, 4 * step));
      const auto losses = objective->loss(batch);
      losses[generates ? 0 : 1].backward();
      optimizer->step(1e-2, 1.0);
    }
    for (const auto& item : objective->named_parameters()) {
      const bool of_generator = item.key().starts_with("model.generator_");
      if (of_generator == generates && item.value().dim() < 2) continue;
      if (item.key().starts_with("model.prediction") && !generates) continue;  // has no loss
      EXPECT_EQ(at::equal(item.value(), before.at(item.key())), of_generator != generates)
          << stage << " " << item.key();
    }
  }
}

TEST(ReplacedTokens, AMainEncoderOfAnotherSizeStartsAfresh) {
  const auto objective = electra("stage: discriminator", "share_embeddings: false");
  const at::Tensor before = parameter(*objective, "embeddings.token").detach().clone();
  objective->start_from(parse_config_text("stage: generator", "first"));
  EXPECT_TRUE(at::equal(parameter(*objective, "embeddings.token"), before));
}

TEST(ReplacedTokens, UniformReplacementsOmitTheOriginalIfAsked) {
  const auto objective = electra("replacement: uniform, disallow_correct: true");
  const Batch batch = objective->prepare(random_rows(*objective, 4000, kVocab));
  EXPECT_EQ(replaced_count(*objective, batch), batch.targets.numel());
}

// Rows are [CLS] 22 tokens [SEP]; round(0.15 x 22) of them are masked.
TEST(ReplacedTokens, VariantsCountTheirTargets) {
  for (const std::string variant : {"electra", "electra_15", "replace_mlm", "all_tokens_mlm"}) {
    for (const char* replacement : {"generator", "uniform"}) {
      const auto objective =
          electra("variant: " + variant + ", replacement: " + replacement, "token_head: true");
      const Batch batch = objective->prepare(random_rows(*objective, 8, kVocab));
      const bool everywhere = variant == "electra" || variant == "all_tokens_mlm";
      EXPECT_EQ(batch.counts, (std::vector<std::int64_t>{24, everywhere ? 192 : 24})) << variant;
      EXPECT_EQ(objective->terms()[1].name, variant.ends_with("mlm") ? "tokens" : "discriminator");
      for (const at::Tensor& loss : objective->loss(batch)) {
        EXPECT_TRUE(std::isfinite(loss.item<double>())) << variant;
      }
    }
  }
}

// A copy for certain costs nothing where the token is the original's; none at all is the plain
// cross-entropy of all tokens.
TEST(ReplacedTokens, AllTokensMixesACopyAndTheSoftmax) {
  const auto objective = electra("variant: all_tokens_mlm, temperature: 0.001", "token_head: true");
  favour(*objective, 20);
  const Batch batch = objective->prepare(biased_rows(*objective, 20));
  const at::NoGradGuard no_grad;
  auto& model = dynamic_cast<Electra&>(objective->model());
  Sequences corrupted = batch.inputs;
  corrupted.tokens = batch.inputs.tokens.index_fill(0, batch.target_rows, kFavourite);
  const at::Tensor originals = batch.inputs.tokens.index_copy(0, batch.target_rows, batch.targets);
  const at::Tensor features = model.forward({corrupted, Pattern::kBidirectional});
  const at::Tensor drawn = logits_of(model.head_features(features), model.head())
                               .log_softmax(-1)
                               .gather(1, originals.unsqueeze(1))
                               .squeeze(1)
                               .exp();
  const at::Tensor same = corrupted.tokens.eq(originals).to(at::kFloat);
  parameter(*objective, "replaced_output.weight").zero_();
  for (const double bias : {30.0, 0.5, -2.0}) {
    parameter(*objective, "replaced_output.bias").fill_(bias);
    const double copied = 1 / (1 + std::exp(bias));
    const double expected = -(copied * same + (1 - copied) * drawn).log().sum().item<double>();
    EXPECT_NEAR(objective->loss(batch)[1].item<double>() / expected, 1, 1e-5) << bias;
  }
}

TEST(ReplacedTokens, WhatIsSeenDoesNotDependOnWhatIsHidden) {
  const auto objective = electra("mask_share: 1");
  TokenBatch rows = random_rows(*objective, 100, kVocab);
  const Batch before = objective->prepare(rows);
  const at::Tensor others =
      (before.targets - kFirstOrdinary + 7).remainder(kVocab - kFirstOrdinary) + kFirstOrdinary;
  rows.tokens.index_put_(
      {before.target_rows.div(24, "floor"), before.target_rows.remainder(24) - 1}, others);
  const Batch after = objective->prepare(rows);
  EXPECT_TRUE(at::equal(after.inputs.tokens, before.inputs.tokens));
  EXPECT_TRUE(at::equal(after.noise, before.noise));
  EXPECT_TRUE(at::equal(after.targets, others));
  EXPECT_GE(after.noise.min().item<double>(), 0);
  EXPECT_LT(after.noise.max().item<double>(), 1);
}

TEST(ReplacedTokens, AStageCountsWhatItComputes) {
  const auto flops = [](const std::string& stage) {
    return electra("stage: " + stage, "share_embeddings: false")->flops_per_token(16);
  };
  const double both = flops("joint"), first = flops("generator"), second = flops("discriminator");
  EXPECT_NEAR(both - first + first / 3, second, 1e-6 * both);  // the generator's forward alone
  EXPECT_LT(first, both / 2);
}

TEST(ReplacedTokens, RefusesWhatCannotBe) {
  testing::expect_error(ExitCode::kBadConfig, "Set model.token_head=true",
                        [] { electra("variant: replace_mlm"); });
  testing::expect_error(ExitCode::kBadConfig, "there is no generator to train",
                        [] { electra("replacement: uniform, stage: generator"); });
  for (const char* stage : {"generator", "discriminator"}) {
    testing::expect_error(ExitCode::kBadConfig, "Set model.share_embeddings=false",
                          [&] { electra(std::string("stage: ") + stage); });
  }
}

TEST(ReplacedTokens, RefusesOptionsThatNothingReads) {
  const std::string own = "share_embeddings: false, token_head: true";
  for (const auto& [combination, unread] :
       {std::pair<std::string, std::vector<std::string>>{
            "replacement: uniform",
            {"temperature: 2", "label_smoothing: 0.1", "z_loss: 0.1", "generator_weight: 2"}},
        {"variant: all_tokens_mlm",
         {"label_smoothing: 0.1", "z_loss: 0.1", "discriminator_weight: 3"}},
        {"variant: replace_mlm", {"discriminator_weight: 3"}},
        {"stage: generator",
         {"temperature: 2", "disallow_correct: true", "discriminator_weight: 3",
          "variant: electra_15"}},
        {"stage: discriminator", {"label_smoothing: 0.1", "generator_weight: 2"}}}) {
    electra(combination, own);
    for (const std::string& option : unread) {
      testing::expect_error(ExitCode::kBadConfig,
                            "objective." + option.substr(0, option.find(':')) +
                                ": nothing reads it with objective.variant ",
                            [&] { electra(combination + ", " + option, own); });
    }
  }
  electra("replacement: uniform, variant: replace_mlm, label_smoothing: 0.1", own);
  electra("variant: all_tokens_mlm, temperature: 2, disallow_correct: true", own);
}

}  // namespace
}  // namespace pretrain
