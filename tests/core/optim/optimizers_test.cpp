#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include <cmath>

#include "core/optim/clip_grad_norm.h"
#include "core/optim/flat_buffer.h"
#include "core/optimizer.h"

namespace pretrain {
namespace {

struct TwoTensors : torch::nn::Module {
  TwoTensors() {
    at::manual_seed(5);
    bias = register_parameter("bias", at::randn({7}));
    matrix = register_parameter("matrix", at::randn({3, 5}));
  }
  at::Tensor bias, matrix;
};

// What one element goes through, straight from the papers, in fp64.
struct Scalar {
  double p, m = 0, v = 0;
  void adamw(double g, double lr, double decay, int t) {
    p -= lr * decay * p;
    m = 0.9 * m + 0.1 * g;
    v = 0.95 * v + 0.05 * g * g;
    p -= lr * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.95, t))) + 1e-8);
  }
  void sgd(double g, double lr, double decay) {
    p -= lr * decay * p;
    m = 0.9 * m + g;
    p -= lr * m;
  }
};

class OptimizerTest : public ::testing::TestWithParam<std::string> {};

TEST_P(OptimizerTest, FollowsItsFormula) {
  TwoTensors module;
  FlatBuffer parameters(module);
  const auto optimizer = optimizers().create(GetParam(), OptimizerContext{&parameters, 0.1});
  std::vector<Scalar> reference;
  std::vector<std::int64_t> places;
  std::vector<double> decays;
  for (const FlatBuffer::Entry& entry : parameters.entries()) {
    for (std::int64_t i = 0; i < entry.count; ++i) {
      places.push_back(entry.begin + i);
      decays.push_back(entry.shape.size() >= 2 ? 0.1 : 0.0);
      reference.push_back({parameters.values()[places.back()].item<double>()});
    }
  }
  const double scale = 0.5;
  for (int t = 1; t <= 20; ++t) {
    const double lr = 0.01 * t;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const double g = std::sin(static_cast<double>(i) + t);
      parameters.gradients()[places[i]] = g;
      if (GetParam() == "sgd") {
        reference[i].sgd(g * scale, lr, decays[i]);
      } else {
        reference[i].adamw(g * scale, lr, decays[i], t);
      }
    }
    optimizer->step(lr, scale);
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_NEAR(parameters.values()[places[i]].item<double>(), reference[i].p, 2e-5) << i;
  }
  EXPECT_EQ(optimizer->updates(), 20);
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerTest, ::testing::Values("adamw", "sgd"));

// Every registered optimizer must make a quadratic smaller and keep its state in state().
TEST(Optimizers, EachDescendsAndResumesFromItsState) {
  for (const std::string& name : optimizers().names()) {
    TwoTensors module;
    FlatBuffer parameters(module);
    const auto optimizer = optimizers().create(name, OptimizerContext{&parameters, 0.0});
    const auto descend = [&](FlatBuffer& buffer, Optimizer& by) {
      buffer.gradients().copy_(buffer.values());
      by.step(1e-2, 1.0);
    };
    const double before = parameters.values().norm().item<double>();
    for (int i = 0; i < 5; ++i) descend(parameters, *optimizer);
    EXPECT_LT(parameters.values().norm().item<double>(), before) << name;

    TwoTensors other_module;
    FlatBuffer other(other_module);
    const auto resumed = optimizers().create(name, OptimizerContext{&other, 0.0});
    other.values().copy_(parameters.values());
    auto target = resumed->state();
    const auto source = optimizer->state();
    ASSERT_EQ(target.size(), source.size());
    for (std::size_t i = 0; i < source.size(); ++i) target[i].values.copy_(source[i].values);
    resumed->set_updates(optimizer->updates());
    descend(parameters, *optimizer);
    descend(other, *resumed);
    EXPECT_TRUE(at::equal(parameters.values(), other.values())) << name;
  }
}

// Frozen tensors are in the buffer, so in checkpoints, and no optimizer changes a bit of them.
TEST(Optimizers, FrozenTensorsStayAsTheyAre) {
  for (const std::string& name : optimizers().names()) {
    for (const bool matrix : {true, false}) {
      TwoTensors module;
      at::Tensor& frozen = matrix ? module.matrix : module.bias;
      at::Tensor& trained = matrix ? module.bias : module.matrix;
      frozen.requires_grad_(false);
      const at::Tensor frozen_before = frozen.detach().clone();
      const at::Tensor trained_before = trained.detach().clone();
      FlatBuffer parameters(module);
      EXPECT_EQ(parameters.entries().size(), 2);
      EXPECT_EQ(parameters.parameter_count(), 22);
      EXPECT_LT(parameters.trained(), 22);
      const auto optimizer = optimizers().create(name, OptimizerContext{&parameters, 0.1});
      for (int i = 0; i < 20; ++i) {
        parameters.zero_gradients();
        trained.square().sum().backward();
        optimizer->step(1e-2, 0.5);
      }
      EXPECT_TRUE(at::equal(frozen, frozen_before)) << name;
      EXPECT_FALSE(at::equal(trained, trained_before)) << name;
    }
  }
}

TEST(FlatBuffer, ParametersAndGradientsAreViews) {
  TwoTensors module;
  const at::Tensor bias = module.bias.detach().clone();
  FlatBuffer parameters(module);
  EXPECT_TRUE(at::equal(module.bias, bias));
  EXPECT_EQ(parameters.size() % 1024, 0);
  EXPECT_EQ(parameters.parameter_count(), 22);
  EXPECT_EQ(parameters.entries().front().name, "matrix") << "decayed tensors come first";
  EXPECT_EQ(parameters.decayed(), 16);
  (module.matrix.sum() * 2 + module.bias.sum()).backward();
  EXPECT_EQ(parameters.gradients().sum().item<double>(), 15 * 2 + 7);
  parameters.zero_gradients();
  EXPECT_EQ(module.matrix.grad().abs().sum().item<double>(), 0);
  parameters.values().fill_(3);
  EXPECT_EQ(module.bias[6].item<double>(), 3);
}

TEST(ClipGradNorm, NormDoesNotDependOnThreadsAndEqualsFp64) {
  const at::Tensor flat = at::randn({300'001});
  const double expected = flat.to(at::kDouble).norm().item<double>();
  at::set_num_threads(1);
  const double one = squared_norm(flat);
  at::set_num_threads(2);
  EXPECT_EQ(squared_norm(flat), one);
  EXPECT_NEAR(std::sqrt(one) / expected, 1.0, 1e-12);
}

TEST(ClipGradNorm, ScalesOnlyLargerNorms) {
  EXPECT_EQ(clip_scale(0.5, 1.0), 1.0);
  EXPECT_NEAR(clip_scale(4.0, 1.0), 0.25, 1e-6);
  EXPECT_EQ(clip_scale(4.0, 0.0), 1.0);
}

}  // namespace
}  // namespace pretrain
