#include "objectives/losses/linear_cross_entropy.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/batch.h"

namespace pretrain {
namespace {

struct Case {
  std::int64_t rows, width, vocab, padded;
  at::ScalarType type;
};

class LinearCrossEntropyTest : public ::testing::TestWithParam<Case> {};

// Loss and both gradients against the same thing made of torch's own operators in fp64.
TEST_P(LinearCrossEntropyTest, EqualsReference) {
  const Case c = GetParam();
  at::manual_seed(7);
  const at::Tensor x = at::randn({c.rows, c.width}).to(c.type).requires_grad_();
  const at::Tensor w = (at::randn({c.padded, c.width}) * 0.3).requires_grad_();
  at::Tensor targets = at::randint(0, c.vocab, {c.rows}, at::kLong);
  targets[0] = kNoTarget;
  const at::Tensor loss = linear_cross_entropy(x, {w, {}, c.vocab}, targets);
  (loss * 0.25).backward();

  const at::Tensor x64 = x.detach().to(at::kDouble).requires_grad_();
  const at::Tensor w64 = w.detach().to(c.type).to(at::kDouble).requires_grad_();
  const at::Tensor logits = at::linear(x64, w64.narrow(0, 0, c.vocab));
  const at::Tensor reference =
      at::cross_entropy_loss(logits, targets, {}, at::Reduction::Sum, kNoTarget);
  (reference * 0.25).backward();

  const double tolerance = c.type == at::kFloat ? 1e-5 : 2e-2;
  EXPECT_NEAR(loss.item<double>() / reference.item<double>(), 1.0, tolerance);
  const auto relative = [](const at::Tensor& ours, const at::Tensor& theirs) {
    return ((ours.to(at::kDouble) - theirs).norm() / theirs.norm()).item<double>();
  };
  EXPECT_LT(relative(x.grad(), x64.grad()), tolerance);
  EXPECT_LT(relative(w.grad(), w64.grad()), tolerance);
  EXPECT_EQ(x.grad()[0].abs().max().item<double>(), 0) << "a row without target has a gradient";
  if (c.padded > c.vocab) {
    EXPECT_EQ(w.grad().narrow(0, c.vocab, c.padded - c.vocab).abs().max().item<double>(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LinearCrossEntropyTest,
                         ::testing::Values(Case{2, 8, 3, 3, at::kFloat},
                                           Case{33, 16, 65, 128, at::kFloat},
                                           Case{100, 32, 1000, 1024, at::kFloat},
                                           Case{64, 32, 257, 320, at::kBFloat16},
                                           // More than one chunk of logits.
                                           Case{1000, 16, 40000, 40000, at::kFloat}));

struct ExtrasCase {
  double smoothing, z_loss;
  bool bias;
  at::ScalarType type;
};

class CrossEntropyExtrasTest : public ::testing::TestWithParam<ExtrasCase> {};

// Smoothing as torch has it, plus the weighted square of logsumexp; gradients of features, weight
// and bias.
TEST_P(CrossEntropyExtrasTest, EqualReference) {
  const ExtrasCase c = GetParam();
  constexpr std::int64_t kRows = 80, kWidth = 32, kVocab = 257, kPadded = 320;
  at::manual_seed(9);
  const at::Tensor x = at::randn({kRows, kWidth}).to(c.type).requires_grad_();
  const at::Tensor w = (at::randn({kPadded, kWidth}) * 0.3).requires_grad_();
  at::Tensor b;
  if (c.bias) b = at::randn({kPadded}).requires_grad_();
  at::Tensor targets = at::randint(0, kVocab, {kRows}, at::kLong);
  targets[5] = kNoTarget;
  const at::Tensor loss = linear_cross_entropy(x, {w, b, kVocab}, targets, {c.smoothing, c.z_loss});
  (loss * 0.25).backward();

  const auto doubled = [&](const at::Tensor& t) {
    return t.detach().to(c.type).to(at::kDouble).requires_grad_();
  };
  const at::Tensor x64 = doubled(x), w64 = doubled(w);
  const at::Tensor b64 = c.bias ? doubled(b) : b;
  at::Tensor logits = at::linear(x64, w64.narrow(0, 0, kVocab));
  if (c.bias) logits = logits + b64.narrow(0, 0, kVocab);
  const at::Tensor valid = targets.ne(kNoTarget).to(at::kDouble);
  const at::Tensor reference =
      at::cross_entropy_loss(logits, targets, {}, at::Reduction::Sum, kNoTarget, c.smoothing) +
      c.z_loss * (logits.logsumexp(-1).square() * valid).sum();
  (reference * 0.25).backward();

  const double tolerance = c.type == at::kFloat ? 1e-5 : 2e-2;
  EXPECT_NEAR(loss.item<double>() / reference.item<double>(), 1.0, tolerance);
  const auto relative = [](const at::Tensor& ours, const at::Tensor& theirs) {
    return ((ours.to(at::kDouble) - theirs).norm() / theirs.norm()).item<double>();
  };
  EXPECT_LT(relative(x.grad(), x64.grad()), tolerance);
  EXPECT_LT(relative(w.grad(), w64.grad()), tolerance);
  EXPECT_EQ(x.grad()[5].abs().max().item<double>(), 0) << "a row without target has a gradient";
  if (!c.bias) return;
  EXPECT_LT(relative(b.grad(), b64.grad()), tolerance);
  EXPECT_EQ(b.grad().narrow(0, kVocab, kPadded - kVocab).abs().max().item<double>(), 0);
  // Without a gradient the loss is the same.
  const at::NoGradGuard no_grad;
  const at::Tensor again =
      linear_cross_entropy(x, {w, b, kVocab}, targets, {c.smoothing, c.z_loss});
  EXPECT_EQ(again.item<double>(), loss.item<double>());
}

INSTANTIATE_TEST_SUITE_P(Extras, CrossEntropyExtrasTest,
                         ::testing::Values(ExtrasCase{0, 0, true, at::kFloat},
                                           ExtrasCase{0.1, 0, false, at::kFloat},
                                           ExtrasCase{0, 1e-2, false, at::kFloat},
                                           ExtrasCase{0.1, 1e-2, true, at::kFloat},
                                           ExtrasCase{0.9, 1, true, at::kFloat},
                                           ExtrasCase{0, 0, true, at::kBFloat16},
                                           ExtrasCase{0.1, 1e-2, true, at::kBFloat16}));

TEST(LinearCrossEntropy, BiasReachesTheLogits) {
  at::manual_seed(7);
  const at::Tensor x = at::randn({3, 4}), w = at::randn({8, 4}), b = at::randn({8});
  const at::Tensor expected = at::linear(x, w, b).narrow(1, 0, 6);
  EXPECT_LT((logits_of(x, {w, b, 6}) - expected).abs().max().item<double>(), 1e-6);
}

TEST(LinearCrossEntropy, SurvivesExtremeLogits) {
  const at::Tensor x = at::full({1, 1}, 1e4f);
  const at::Tensor w = at::tensor({1.0f, -1.0f}).view({2, 1});
  const at::Tensor right = linear_cross_entropy(x, {w, {}, 2}, at::tensor({std::int64_t{0}}));
  const at::Tensor wrong = linear_cross_entropy(x, {w, {}, 2}, at::tensor({std::int64_t{1}}));
  EXPECT_EQ(right.item<double>(), 0);
  EXPECT_NEAR(wrong.item<double>(), 2e4, 1);
}

// Near p = 1 the gradient at the target is p - 1: small, but what all others push against.
TEST(LinearCrossEntropy, ConfidentRowsKeepTheirGradientInBf16) {
  for (const double probability : {0.9, 0.99, 0.9975, 0.999, 0.9999}) {
    const double others = std::log(4 * probability / (1 - probability));  // of five classes
    const at::Tensor features = at::full({1, 1}, 1.0).to(at::kBFloat16).requires_grad_(true);
    at::Tensor weight = at::zeros({5, 1});
    weight[2][0] = others;
    const double logit = weight.to(at::kBFloat16)[2][0].item<double>();
    const double left = 4 / (4 + std::exp(logit));  // 1 - p of the rounded logit
    weight.requires_grad_(true);
    linear_cross_entropy(features, {weight, {}, 5}, at::full({1}, 2, at::kLong)).backward();
    EXPECT_NEAR(weight.grad()[2][0].item<double>(), -left, left / 128);
    EXPECT_NEAR(weight.grad().sum().item<double>(), 0, left / 64);
  }
}

TEST(LinearCrossEntropy, NaNShows) {
  const at::Tensor x = at::full({2, 4}, std::numeric_limits<float>::quiet_NaN());
  const at::Tensor w = at::ones({8, 4});
  const at::Tensor loss = linear_cross_entropy(x, {w, {}, 8}, at::zeros({2}, at::kLong));
  EXPECT_TRUE(std::isnan(loss.item<double>()));
}

}  // namespace
}  // namespace pretrain
