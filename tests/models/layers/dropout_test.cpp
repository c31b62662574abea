#include "models/layers/dropout.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "tests/testing/statistics.h"

namespace pretrain {
namespace {

constexpr DropoutAddress kAddress{7, 3};
const std::vector<std::uint64_t> kKeys{11, 12, std::uint64_t{1} << 40};

TEST(Dropout, ZeroesItsShareAndScalesTheRest) {
  for (const double p : {0.1, 0.5, 0.9}) {
    const at::Tensor x = at::ones({1000, 999});
    const at::Tensor y = dropout(x, p, kAddress, kKeys, {500, 1, 499});
    testing::expect_share(y.eq(0).sum().item<std::int64_t>(), x.numel(), p, std::to_string(p));
    const at::Tensor kept = y.masked_select(y.ne(0));
    EXPECT_EQ(kept.min().item<float>(), static_cast<float>(1 / (1 - p)));
    EXPECT_EQ(kept.max().item<float>(), static_cast<float>(1 / (1 - p)));
    testing::expect_mean(y.sum(at::kDouble).item<double>(), x.numel(), 1, p / (1 - p), "mean");
  }
}

TEST(Dropout, NeighboursAreIndependent) {
  const at::Tensor y = dropout(at::ones({1000, 1001}), 0.3, kAddress, {5}, {1000}).eq(0);
  const auto both = [&](std::int64_t dim) {
    const std::int64_t count = y.size(dim) - 1;
    const at::Tensor pairs = y.narrow(dim, 0, count).logical_and(y.narrow(dim, 1, count));
    // Pairs overlap: their covariance adds 2 p^3 (1 - p) to the variance p^2 (1 - p^2).
    testing::expect_mean(pairs.sum().item<double>(), pairs.numel(), 0.09,
                         0.09 * (1 - 0.09) + 2 * 0.027 * 0.7);
  };
  both(0);
  both(1);
}

TEST(Dropout, BackwardUsesTheSameMask) {
  at::manual_seed(1);
  const at::Tensor x = at::randn({60, 5, 7}).requires_grad_();
  const at::Tensor y = dropout(x, 0.3, kAddress, kKeys, {10, 20, 30});
  const at::Tensor gradient = at::randn({60, 5, 7});
  y.backward(gradient);
  const at::Tensor mask = dropout(at::ones({60, 5, 7}), 0.3, kAddress, kKeys, {10, 20, 30});
  EXPECT_TRUE(at::equal(y.detach(), x.detach() * mask));
  EXPECT_TRUE(at::equal(x.grad(), gradient * mask));
}

TEST(Dropout, DependsOnTheAddressAlone) {
  const at::Tensor x = at::ones({300, 501});
  const std::vector<std::int64_t> lengths{100, 77, 123};
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = dropout(x, 0.3, kAddress, kKeys, lengths);
  at::set_num_threads(4);
  EXPECT_TRUE(at::equal(dropout(x, 0.3, kAddress, kKeys, lengths), one));
  at::set_num_threads(threads);
  // A sequence alone, and its first rows alone.
  const at::Tensor alone = dropout(x.narrow(0, 0, 77), 0.3, kAddress, {kKeys[1]}, {77});
  EXPECT_TRUE(at::equal(alone, one.narrow(0, 100, 77)));
  const at::Tensor first = dropout(x.narrow(0, 0, 10), 0.3, kAddress, {kKeys[1]}, {10});
  EXPECT_TRUE(at::equal(first, one.narrow(0, 100, 10)));
  // Each part of the address counts.
  EXPECT_FALSE(at::equal(dropout(x, 0.3, {8, 3}, kKeys, lengths), one));
  EXPECT_FALSE(at::equal(dropout(x, 0.3, {7, 4}, kKeys, lengths), one));
  EXPECT_FALSE(at::equal(dropout(x, 0.3, {7 + (std::uint64_t{1} << 32), 3}, kKeys, lengths), one));
  EXPECT_FALSE(at::equal(dropout(x, 0.3, kAddress, {11, 12, 13}, lengths), one));
}

TEST(Dropout, WithoutRateOrKeysIsNothing) {
  const at::Tensor x = at::ones({4, 4});
  EXPECT_TRUE(dropout(x, 0, kAddress, {1}, {4}).is_same(x));
  EXPECT_TRUE(dropout(x, 0.5, kAddress, {}, {4}).is_same(x));
}

TEST(Dropout, KeepsTheType) {
  const at::Tensor y = dropout(at::ones({10, 10}, at::kBFloat16), 0.5, kAddress, {1}, {10});
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(y.eq(0).logical_or(y.eq(2)).all().item<bool>());
}

}  // namespace
}  // namespace pretrain
