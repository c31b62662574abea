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

TEST(LinearCrossEntropy, SurvivesExtremeLogits) {
  const at::Tensor x = at::full({1, 1}, 1e4f);
  const at::Tensor w = at::tensor({1.0f, -1.0f}).view({2, 1});
  const at::Tensor right = linear_cross_entropy(x, {w, {}, 2}, at::tensor({std::int64_t{0}}));
  const at::Tensor wrong = linear_cross_entropy(x, {w, {}, 2}, at::tensor({std::int64_t{1}}));
  EXPECT_EQ(right.item<double>(), 0);
  EXPECT_NEAR(wrong.item<double>(), 2e4, 1);
}

TEST(LinearCrossEntropy, NaNShows) {
  const at::Tensor x = at::full({2, 4}, std::numeric_limits<float>::quiet_NaN());
  const at::Tensor w = at::ones({8, 4});
  const at::Tensor loss = linear_cross_entropy(x, {w, {}, 8}, at::zeros({2}, at::kLong));
  EXPECT_TRUE(std::isnan(loss.item<double>()));
}

}  // namespace
}  // namespace pretrain
