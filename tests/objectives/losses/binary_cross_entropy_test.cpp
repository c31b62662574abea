#include "objectives/losses/binary_cross_entropy.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace pretrain {
namespace {

TEST(BinaryCrossEntropy, EqualsItsFormula) {
  at::manual_seed(7);
  for (const at::ScalarType type : {at::kBool, at::kLong}) {
    const at::Tensor x = (at::randn({1000}) * 4).requires_grad_();
    const at::Tensor labels = at::randint(0, 2, {1000}, at::kLong).to(type);
    const at::Tensor loss = sum_binary_cross_entropy(x, labels);
    loss.backward();
    const at::Tensor logits = x.detach().to(at::kDouble);
    const at::Tensor p = logits.sigmoid();
    const at::Tensor y = labels.to(at::kDouble);
    const double expected =
        -(y * p.log() + (1 - y) * (-logits).sigmoid().log()).sum().item<double>();
    EXPECT_EQ(loss.dim(), 0);
    EXPECT_NEAR(loss.item<double>() / expected, 1, 1e-6);
    EXPECT_LT((x.grad().to(at::kDouble) - (p - y)).abs().max().item<double>(), 1e-6);
  }
}

TEST(BinaryCrossEntropy, SurvivesExtremeLogits) {
  const at::Tensor x = at::tensor({1e4f, -1e4f, 1e4f, -1e4f});
  const at::Tensor labels = at::tensor({1, 0, 0, 1});
  EXPECT_EQ(sum_binary_cross_entropy(x, labels).item<double>(), 2e4);
}

}  // namespace
}  // namespace pretrain
