// Prefix language modelling: where the prefix ends, and what is predicted behind it.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/objective.h"
#include "objectives/decoding/decoder_state.h"
#include "objectives/decoding/scoring.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/statistics.h"

namespace pretrain {
namespace {

using testing::make_tiny;
using testing::TinySetup;

constexpr std::int64_t kVocab = 50, kLength = 24, kPad = 1;

std::unique_ptr<Objective> prefix_lm(const std::string& model, const std::string& options) {
  TinySetup setup;
  setup.objective = "prefix_lm";
  setup.model = model;
  setup.objective_options = options;
  setup.layers = 1;
  return make_tiny(setup);
}

std::vector<std::int64_t> prefixes_of(const Batch& batch) {
  return batch.inputs.prefixes.empty() ? batch.inputs.lengths : batch.inputs.prefixes;
}

TEST(PrefixLm, PrefixIsUniform) {
  for (const char* model : {"gpt2", "t5"}) {
    const auto objective = prefix_lm(model, "");
    std::vector<std::int64_t> counts(kLength);
    const Batch batch = objective->prepare(testing::random_rows(*objective, 24000, kVocab));
    for (const std::int64_t prefix : prefixes_of(batch)) {
      ++counts.at(static_cast<std::size_t>(prefix - 1));
    }
    testing::expect_uniform(counts, model);
  }
}

TEST(PrefixLm, PrefixOfAShare) {
  for (const auto& [share, expected] :
       {std::pair{"0", 1}, {"0.5", 12}, {"0.9", 22}, {"1", static_cast<int>(kLength)}}) {
    const auto objective = prefix_lm("gpt2", std::string("prefix: ") + share);
    const Batch batch = objective->prepare(testing::random_rows(*objective, 5, kVocab));
    EXPECT_EQ(prefixes_of(batch), std::vector<std::int64_t>(5, expected)) << share;
    EXPECT_EQ(batch.counts[0], 5 * (kLength + 1 - expected));
  }
}

TEST(PrefixLm, PredictsWhatFollowsThePrefix) {
  for (const char* model : {"gpt2", "t5"}) {
    const bool decodes = std::string(model) == "t5";
    const auto objective = prefix_lm(model, "");
    const TokenBatch rows = testing::random_rows(*objective, 100, kVocab);
    const Batch batch = objective->prepare(rows);
    std::int64_t done = 0;
    for (std::int64_t row = 0; row < 100; ++row) {
      const std::int64_t prefix = prefixes_of(batch)[static_cast<std::size_t>(row)];
      const std::int64_t count = kLength + 1 - prefix;
      const at::Tensor text = rows.tokens[row];
      const at::Tensor expected = text.narrow(0, prefix, count);
      EXPECT_TRUE(at::equal(batch.targets.narrow(0, done, count), expected));
      if (decodes) {
        const at::Tensor decoded = batch.decoder.tokens.narrow(0, done, count);
        EXPECT_EQ(decoded[0].item<std::int64_t>(), kPad);
        EXPECT_TRUE(at::equal(decoded.narrow(0, 1, count - 1), expected.narrow(0, 0, count - 1)));
      } else {
        const at::Tensor seen = batch.inputs.tokens.narrow(0, row * kLength, kLength);
        EXPECT_TRUE(at::equal(seen, text.narrow(0, 0, kLength)));
        EXPECT_TRUE(at::equal(batch.target_rows.narrow(0, done, count),
                              at::arange(count) + row * kLength + prefix - 1));
      }
      done += count;
    }
    EXPECT_EQ(done, batch.targets.numel());
    EXPECT_EQ(batch.counts, std::vector<std::int64_t>{done});
  }
}

// What it is scored by, and what it writes by, is what it was trained for: a prompt seen both ways.
TEST(PrefixLm, ScoresAndReadsPromptsAsItTrains) {
  for (const char* model : {"gpt2", "t5"}) {
    const auto objective = prefix_lm(model, "prefix: 0.5");
    const TokenBatch rows = testing::random_rows(*objective, 3, kVocab);
    const Batch batch = objective->prepare(rows);
    const at::NoGradGuard no_grad;
    for (at::Tensor& weight : objective->parameters()) weight.mul_(4);  // attention matters
    double scored = 0, read = 0;
    for (std::int64_t row = 0; row < 3; ++row) {
      const auto* data = rows.tokens.const_data_ptr<std::int64_t>() + row * (kLength + 1);
      const std::vector<std::int64_t> context(data, data + 12), text(data + 12, data + kLength + 1);
      for (const double log : log_likelihoods(objective->model(), context, text, kPad)) {
        scored -= log;
      }
      const bool decodes = std::string(model) == "t5";
      DecoderState state(objective->model(), decodes ? context : std::vector<std::int64_t>());
      std::vector<std::int64_t> next = decodes ? std::vector<std::int64_t>{kPad} : context;
      for (const std::int64_t token : text) {
        read -= log_probabilities(state.read(next)).at(static_cast<std::size_t>(token));
        next = {token};
      }
    }
    const auto trained = objective->loss(batch)[0].item<double>();
    EXPECT_NEAR(scored, trained, 1e-4 * trained) << model;
    EXPECT_NEAR(read, trained, 1e-4 * trained) << model;
  }
}

}  // namespace
}  // namespace pretrain
