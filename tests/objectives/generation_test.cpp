#include "objectives/generation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/base/random.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

const std::vector<float> kLogits{1.0f, 3.0f, 2.0f, 3.0f, -1.0f};

std::map<std::int64_t, int> draw(const SamplingOptions& options, int count) {
  RandomStream random(9, RandomPurpose::kTest, 0);
  std::map<std::int64_t, int> seen;
  for (int i = 0; i < count; ++i) ++seen[sample_token(kLogits, options, random.uniform())];
  return seen;
}

TEST(SampleToken, DrawsFollowTheSoftmax) {
  for (double temperature : {0.5, 1.0, 2.0}) {
    SamplingOptions options;
    options.temperature = temperature;
    constexpr int kDraws = 100'000;
    const auto seen = draw(options, kDraws);
    double total = 0;
    for (float logit : kLogits) total += std::exp(static_cast<double>(logit) / temperature);
    double chi_square = 0;
    for (std::size_t i = 0; i < kLogits.size(); ++i) {
      const double expected =
          kDraws * std::exp(static_cast<double>(kLogits[i]) / temperature) / total;
      const auto found = seen.find(static_cast<std::int64_t>(i));
      const double count = found == seen.end() ? 0 : found->second;
      chi_square += (count - expected) * (count - expected) / expected;
    }
    EXPECT_LT(chi_square, 18.47) << "p < 0.001 with 4 degrees of freedom";
  }
}

TEST(SampleToken, GreedyTakesTheSmallerOfEqualIds) {
  SamplingOptions options;
  options.temperature = 0;
  EXPECT_EQ(sample_token(kLogits, options, 0.99), 1);
  options.temperature = 1e-4;
  EXPECT_EQ(sample_token({0.0f, 1.0f, 0.5f}, options, 0.99), 1);
}

TEST(SampleToken, RefusesLogitsThatAreNotFinite) {
  testing::expect_error(ExitCode::kNumerics, "a logit of nan", [] {
    sample_token({0.0f, std::nanf(""), 0.5f}, {}, 0.5);
  });
}

TEST(SampleToken, TopKAndTopPLeaveTheTailOut) {
  SamplingOptions options;
  options.top_k = 2;
  for (const auto& [id, count] : draw(options, 2000)) EXPECT_TRUE(id == 1 || id == 3);
  options.top_k = 0;
  options.top_p = 0.5;  // each of the two best has a little over 0.39
  for (const auto& [id, count] : draw(options, 2000)) EXPECT_TRUE(id == 1 || id == 3);
  options.top_p = 0.3;
  for (const auto& [id, count] : draw(options, 2000)) EXPECT_EQ(id, 1);
}

TEST(Generate, IsReproducibleAndGoesOnBeyondThePositions) {
  const auto objective = testing::make_tiny_objective("causal_lm", 50, 16);
  SamplingOptions options;
  const auto run = [&](std::uint64_t sample, std::vector<std::int64_t> prompt) {
    return generate(objective->model(), prompt, 60, options, -1, sample,
                    [](std::int64_t) { return true; });
  };
  const auto first = run(0, {1, 2, 3});
  EXPECT_EQ(first.size(), 60u);
  EXPECT_EQ(run(0, {1, 2, 3}), first);
  EXPECT_NE(run(1, {1, 2, 3}), first);
  EXPECT_EQ(run(0, std::vector<std::int64_t>(40, 7)).size(), 60u) << "a prompt of 40 in 16";
}

TEST(Generate, StopsAtTheStopTokenAndWhenTold) {
  const auto objective = testing::make_tiny_objective("causal_lm", 50, 16);
  SamplingOptions options;
  options.temperature = 0;
  const auto all =
      generate(objective->model(), {5}, 10, options, -1, 0, [](std::int64_t) { return true; });
  const auto stopped =
      generate(objective->model(), {5}, 10, options, all[0], 0, [](std::int64_t) { return true; });
  EXPECT_EQ(stopped.size(), 1u);
  const auto told =
      generate(objective->model(), {5}, 10, options, -1, 0, [](std::int64_t) { return false; });
  EXPECT_EQ(told.size(), 1u);
  testing::expect_error(ExitCode::kUsage, "empty", [&] {
    generate(objective->model(), {}, 10, options, -1, 0, [](std::int64_t) { return true; });
  });
}

}  // namespace
}  // namespace pretrain
