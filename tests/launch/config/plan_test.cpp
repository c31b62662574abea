#include "launch/config/plan.h"

#include <gtest/gtest.h>

#include "core/config/config_loader.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

RunConfig config_of(const std::string& train, const std::string& more = "") {
  const std::string text =
      "data: {sequence_length: 64, sources: [{path: a.h5}]}\ntrain: {duration: {steps: 100}, " +
      train + "}\n" + more;
  return read_config(parse_config_text(text, "test"), "test");
}

bool everything_fits(std::int64_t) { return true; }

TEST(PlanBatch, EitherTheEquationHoldsOrItIsPrinted) {
  for (std::int64_t sequences = 1; sequences <= 40; ++sequences) {
    for (std::int64_t micro = 1; micro <= 5; ++micro) {
      for (std::int64_t ranks = 1; ranks <= 5; ++ranks) {
        const RunConfig config =
            config_of(concat("global_batch_sequences: ", sequences, ", micro_batch: ", micro));
        if (sequences % (micro * ranks) == 0) {
          const BatchLayout layout = plan_batch(config, ranks, everything_fits);
          EXPECT_EQ(layout.sequences(), sequences);
          EXPECT_EQ(layout.micro_batch, micro);
        } else {
          testing::expect_error(ExitCode::kBadConfig,
                                concat("train.global_batch_sequences ", sequences,
                                       " = micro_batch ", micro, " x data_ranks ", ranks),
                                [&] { plan_batch(config, ranks, everything_fits); });
        }
      }
    }
  }
}

TEST(PlanBatch, TheMessageIsTheContracts) {
  testing::expect_error(ExitCode::kBadConfig,
                        "train.global_batch_sequences 100 = micro_batch 8 x data_ranks 3 x "
                        "accumulation 4.17: not whole. Nearest: 96, 120",
                        [] {
                          plan_batch(config_of("global_batch_sequences: 100, micro_batch: 8"), 3,
                                     everything_fits);
                        });
  testing::expect_error(ExitCode::kBadConfig, "not whole. Nearest: 6144, 7680", [] {
    plan_batch(config_of("global_batch_tokens: 6400, micro_batch: 8"), 3, everything_fits);
  });
  testing::expect_error(ExitCode::kBadConfig, "not a multiple of data.sequence_length 64", [] {
    plan_batch(config_of("global_batch_tokens: 100"), 1, everything_fits);
  });
  testing::expect_error(ExitCode::kBadConfig, "Give exactly one",
                        [] { plan_batch(config_of("micro_batch: 1"), 1, everything_fits); });
}

TEST(PlanBatch, AutoTakesTheLargestDivisorThatFits) {
  const RunConfig config = config_of("global_batch_sequences: 36");
  const auto up_to = [](std::int64_t most) {
    return [most](std::int64_t micro) { return micro <= most; };
  };
  EXPECT_EQ(plan_batch(config, 1, up_to(100)).micro_batch, 36);
  EXPECT_EQ(plan_batch(config, 1, up_to(17)).micro_batch, 12);
  EXPECT_EQ(plan_batch(config, 3, up_to(5)).micro_batch, 4);
  EXPECT_EQ(plan_batch(config, 3, up_to(5)).accumulation, 3);
}

TEST(SpanSteps, RoundUp) {
  const auto steps = [](Span::Unit unit, double value) {
    return span_steps({unit, value}, BatchSchedule(10), 64, 1000, 200);
  };
  EXPECT_EQ(steps(Span::Unit::kSteps, 7), 7);
  EXPECT_EQ(steps(Span::Unit::kTokens, 641), 2);
  EXPECT_EQ(steps(Span::Unit::kSamples, 30), 3);
  EXPECT_EQ(steps(Span::Unit::kEpochs, 1.5), 150);
  EXPECT_EQ(steps(Span::Unit::kFraction, 0.01), 2);
}

TEST(MakePlan, HoursNeedAScheduleOfKnownLength) {
  const std::string hours = "global_batch_sequences: 8";
  RunConfig config = config_of(hours);
  config.train.duration = {Span::Unit::kHours, 2};
  const BatchSchedule batches(global_sequences(config));
  testing::expect_error(ExitCode::kBadConfig, "schedule.total",
                        [&] { make_plan(config, batches, 1000, 1.0); });
  config.schedule.total = Span{Span::Unit::kSteps, 500};
  const TrainingPlan plan = make_plan(config, batches, 1000, 1.0);
  EXPECT_EQ(plan.hours, 2);
  EXPECT_EQ(plan.schedule.total, 500);
}

TEST(RunConfigTest, ResolvedTextReadsBackToItself) {
  const RunConfig config = config_of("global_batch_sequences: 8", "model: {layers: 3}\n");
  const RunConfig again = read_config(parse_config_text(config.text(), "again"), "other");
  EXPECT_EQ(again.text(), config.text());
  EXPECT_EQ(identity_sha256(again), identity_sha256(config));
  EXPECT_NE(config.text().find("layers: 3"), std::string::npos);
}

// Every identity option changed alone is named; no other option is.
TEST(RunConfigTest, OptionChangesAreNamedAndCanBeAllowed) {
  const RunConfig before = config_of("global_batch_sequences: 8");
  const RunConfig layers = config_of("global_batch_sequences: 8", "model: {layers: 3}\n");
  EXPECT_EQ(identity_changes(before.resolved, layers.resolved, {}),
            (std::vector<OptionChange>{{"model.layers", "12", "3"}}));
  EXPECT_TRUE(identity_changes(before.resolved, layers.resolved, {"model.layers"}).empty());
  const RunConfig rate = config_of("global_batch_sequences: 8", "optimizer: {lr: 0.5}\n");
  EXPECT_TRUE(identity_changes(before.resolved, rate.resolved, {}).empty());
  EXPECT_NE(config_sha256(before), config_sha256(rate));
  EXPECT_EQ(identity_sha256(before), identity_sha256(rate));
}

TEST(RunConfigTest, UnknownComponentsAreNamedWithTheKnownOnes) {
  const std::string batch = "global_batch_sequences: 8";
  testing::expect_error(ExitCode::kBadConfig, "model.name: gtp2 is not known. Known: bert",
                        [&] { config_of(batch, "model: {name: gtp2}\n"); });
  testing::expect_error(ExitCode::kBadConfig, "objective.name: causal is not known",
                        [&] { config_of(batch, "objective: {name: causal}\n"); });
  testing::expect_error(ExitCode::kBadConfig, "optimizer.momentum is not read by adamw",
                        [&] { config_of(batch, "optimizer: {momentum: 0.9}\n"); });
}

}  // namespace
}  // namespace pretrain
