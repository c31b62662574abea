// FLOPs of sources and targets, against the products that a forward pass makes.

#include "objectives/source_target.h"

#include <gtest/gtest.h>

#include "tests/objectives/tiny_objective.h"

namespace pretrain {
namespace {

using testing::make_tiny;
using testing::random_rows;
using testing::TinySetup;

// Multiply-adds of [rows, in] x [in, out], twice: a multiplication and an addition.
double product(double rows, double in, double out) { return 2 * rows * in * out; }

constexpr double kWidth = 32, kInner = 64, kLayers = 2, kVocab = 50;

// Queries, keys, values and outputs of `rows`; the feed-forward part.
double projections(double rows) { return 4 * product(rows, kWidth, kWidth); }
double feed_forward(double rows) { return 2 * product(rows, kWidth, kInner); }
// Scores and weighted sums of all heads.
double attention(double queries, double keys) { return 2 * product(queries, kWidth, keys); }

std::unique_ptr<Objective> prefix_lm(const std::string& model) {
  TinySetup setup;
  setup.objective = "prefix_lm";
  setup.model = model;
  setup.objective_options = "prefix: 0.75";
  return make_tiny(setup);
}

TEST(SourceTarget, FlopsOfAnEncoderDecoderCountBoth) {
  const auto objective = prefix_lm("t5");
  const double source = 18, target = 6, length = 24;
  const double encoder =
      kLayers * (projections(source) + feed_forward(source) + attention(source, source));
  const double cross = 2 * product(target, kWidth, kWidth) + 2 * product(source, kWidth, kWidth) +
                       attention(target, source);
  const double decoder = kLayers * (projections(target) + feed_forward(target) +
                                    attention(target, target) / 2 + cross);
  const double head = product(target, kWidth, kVocab);
  EXPECT_NEAR(objective->flops_per_token(24) * length, 3 * (encoder + decoder + head),
              1e-6 * encoder);
}

TEST(SourceTarget, FlopsOfADecoderAreThoseOfTheRow) {
  const auto objective = prefix_lm("gpt2");
  const double body = kLayers * (projections(24) + feed_forward(24) + attention(24, 24) / 2);
  EXPECT_NEAR(objective->flops_per_token(24) * 24, 3 * (body + product(6, kWidth, kVocab)),
              1e-6 * body);
}

// FLOPs are counted by the tokens of batches, those of both sides.
TEST(SourceTarget, TokensOfABatchHoldTheFlopsOfItsRows) {
  for (const char* model : {"t5", "gpt2"}) {
    for (const char* variant : {"spans", "deshuffle", "infilling"}) {
      TinySetup setup;
      setup.objective = "span_corruption";
      setup.model = model;
      setup.length = 64;
      setup.objective_options = concat("sentinels: 10, mean_span: 6, variant: ", variant);
      const auto objective = make_tiny(setup);
      const Batch batch = objective->prepare(random_rows(*objective, 4, kVocab));
      EXPECT_NEAR(static_cast<double>(batch.real_tokens), 4 * objective->positions_per_row(64), 24)
          << model << " " << variant;
    }
  }
}

TEST(SourceTarget, MoreNoiseIsMoreToDecode) {
  const auto flops = [](const std::string& options) {
    TinySetup setup;
    setup.objective = "span_corruption";
    setup.length = 64;
    setup.objective_options = "sentinels: 10" + options;
    return make_tiny(setup)->flops_per_token(64);
  };
  EXPECT_GT(flops(", noise_density: 0.4, mean_span: 6"), flops(", mean_span: 6"));
  EXPECT_GT(flops(", variant: infilling"), flops(", mean_span: 6"));
}

}  // namespace
}  // namespace pretrain
