#include "models/initialize.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/objectives/tiny_objective.h"

namespace pretrain {
namespace {

constexpr double kHidden = 32, kFfn = 64, kLayers = 2;

// What a scheme says of a matrix: the standard deviation, and the kurtosis of its distribution.
using Spread = std::function<double(const std::string& name, const at::Tensor& weight)>;

struct Scheme {
  std::string init;
  std::string model = "gpt2";
  double kurtosis = 3;
  Spread std;
};
void PrintTo(const Scheme& scheme, std::ostream* out) { *out << scheme.init; }

bool is_output(const std::string& name) {
  return name.ends_with("attention.output.weight") || name.ends_with("cross.output.weight") ||
         name.ends_with("ffn.down.weight");
}
bool is_table(const std::string& name) {
  return name == "model.embeddings.token" || name == "model.embeddings.position";
}

std::unique_ptr<Objective> make(const Scheme& scheme, std::uint64_t seed = 1) {
  testing::TinySetup setup;
  setup.objective = scheme.model == "t5" ? "span_corruption" : "causal_lm";
  setup.model = scheme.model;
  setup.vocab_size = 1000;
  setup.model_options = "init: " + scheme.init;
  setup.seed = seed;
  return testing::make_tiny(setup);
}

class InitializeTest : public ::testing::TestWithParam<Scheme> {};

void expect_moments(const at::Tensor& z, double kurtosis, double sigmas, const std::string& what) {
  const double n = static_cast<double>(z.numel());
  EXPECT_LT(std::abs(z.mean().item<double>()), sigmas / std::sqrt(n)) << what;
  EXPECT_NEAR(z.square().mean().item<double>(), 1, sigmas * std::sqrt((kurtosis - 1) / n)) << what;
}

// Each matrix within 5 sigma, all of them together within 3.
TEST_P(InitializeTest, SpreadsAsItSays) {
  const Scheme& scheme = GetParam();
  const auto objective = make(scheme);
  std::vector<at::Tensor> all;
  for (const auto& item : objective->named_parameters()) {
    const std::string& name = item.key();
    const at::Tensor weight = item.value().detach().to(at::kDouble);
    if (weight.dim() == 1) {
      EXPECT_TRUE(weight.eq(name.ends_with("norm.weight") ? 1 : 0).all().item<bool>()) << name;
      continue;
    }
    const bool table = scheme.init == "xavier" && is_table(name);
    if (name.ends_with("qkv.weight") && scheme.init == "t5") {  // queries, then keys and values
      const auto rows = static_cast<std::int64_t>(kHidden);
      const at::Tensor q = weight.narrow(0, 0, rows) * std::sqrt(kHidden * kHidden / 4);
      const at::Tensor kv = weight.narrow(0, rows, 2 * rows) * std::sqrt(kHidden);
      expect_moments(q, 3, 5, name + " q");
      expect_moments(kv, 3, 5, name + " k v");
      all.insert(all.end(), {q.reshape(-1), kv.reshape(-1)});
      continue;
    }
    const at::Tensor z = weight / scheme.std(name, weight);
    expect_moments(z, table ? 3 : scheme.kurtosis, 5, name);
    if (!table) all.push_back(z.reshape(-1));
  }
  ASSERT_GT(all.size(), 4u);
  const at::Tensor together = at::cat(all);
  expect_moments(together, scheme.kurtosis, 3, "all");
  EXPECT_NEAR(together.pow(4).mean().item<double>(), scheme.kurtosis, 0.05 * scheme.kurtosis);
}

const std::vector<Scheme> kSchemes{
    {"normal", "gpt2", 3, [](const auto&, const auto&) { return 0.02; }},
    {"scaled_normal", "gpt2", 3,
     [](const auto& name, const auto&) {
       return is_output(name) ? 0.02 / std::sqrt(2 * kLayers) : 0.02;
     }},
    // N(0, 1) within 2 has variance 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737 and kurtosis 2.366.
    {"truncated_normal", "gpt2", 2.366,
     [](const auto&, const auto&) { return 0.02 * std::sqrt(0.77374); }},
    {"xavier", "gpt2", 1.8,
     [](const auto& name, const at::Tensor& weight) {
       if (is_table(name)) return 0.02;
       return std::sqrt(2.0 / static_cast<double>(weight.size(0) + weight.size(1)));
     }},
    {"t5", "t5", 3,
     [](const auto& name, const auto&) {
       if (is_table(name)) return 1.0;
       if (name.ends_with("ffn.down.weight")) return 1 / std::sqrt(kFfn);
       if (name.ends_with("cross.q.weight")) return 1 / std::sqrt(kHidden * kHidden / 4);
       return 1 / std::sqrt(kHidden);
     }},
};

INSTANTIATE_TEST_SUITE_P(Schemes, InitializeTest, ::testing::ValuesIn(kSchemes),
                         [](const auto& test) { return test.param.init; });

TEST(Initialize, BoundsAreKept) {
  const auto truncated = make(kSchemes[2]);
  for (const at::Tensor& weight : truncated->parameters()) {
    if (weight.dim() > 1) {
      EXPECT_LE(weight.abs().max().item<double>(), 0.04 + 1e-8);
    }
  }
  const auto xavier = make(kSchemes[3]);
  for (const auto& item : xavier->named_parameters()) {
    const at::Tensor& weight = item.value();
    if (weight.dim() == 1 || is_table(item.key())) continue;
    const double bound = std::sqrt(6.0 / static_cast<double>(weight.size(0) + weight.size(1)));
    EXPECT_LE(weight.abs().max().item<double>(), bound + 1e-7) << item.key();
    EXPECT_GT(weight.abs().max().item<double>(), 0.99 * bound) << item.key();
  }
}

TEST(Initialize, ASeedGivesItsOwnWeights) {
  const auto one = make(kSchemes[0]), same = make(kSchemes[0]), other = make(kSchemes[0], 2);
  for (const auto& item : one->named_parameters()) {
    EXPECT_TRUE(at::equal(item.value(), same->named_parameters()[item.key()])) << item.key();
    if (item.value().dim() == 1) continue;
    EXPECT_FALSE(at::equal(item.value(), other->named_parameters()[item.key()])) << item.key();
  }
}

}  // namespace
}  // namespace pretrain
