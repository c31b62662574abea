#include "launch/config/data_plan.h"

#include <gtest/gtest.h>

#include "core/config/config_loader.h"
#include "launch/config/plan.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

const std::vector<PlannedSource> kTwo{{100, 6400}, {50, 3200}};

RunConfig config_of(const std::string& data, const std::string& more = "",
                    const std::string& duration = "{steps: 100}") {
  const std::string text = "data: {sequence_length: 64, " + data +
                           "}\ntrain: {duration: " + duration + ", global_batch_sequences: 4}\n" +
                           more;
  return read_config(parse_config_text(text, "test"), "test");
}

SamplePlan plan_of(const RunConfig& config, const std::vector<PlannedSource>& sources = kTwo) {
  check_data_options(config);
  return sample_plan(config, batch_schedule(config, 4), sources);
}

std::vector<std::string> text_of(const RunConfig& config) {
  return mixture_text(config, plan_of(config), kTwo, batch_schedule(config, 4), 400);
}

void refused(const std::string& message, const std::string& data, const std::string& more = "",
             const std::string& duration = "{steps: 100}") {
  testing::expect_error(ExitCode::kBadConfig, message, [&] {
    const RunConfig config = config_of(data, more, duration);
    check_epochs(config, plan_of(config), 400);
  });
}

TEST(DataPlan, WeightsAreSaidInWords) {
  EXPECT_EQ(
      text_of(config_of("sources: [{path: books.h5, weight: 3}, {path: wiki.h5, weight: 1}]")),
      (std::vector<std::string>{
          "books 75.0 % of the tokens (weight 3 of 4), 3.00 epochs of it in this run",
          "wiki 25.0 % of the tokens (weight 1 of 4), 2.00 epochs of it in this run"}));
  EXPECT_EQ(text_of(config_of("sources: [{path: books.h5}, {path: wiki.h5}]")),
            (std::vector<std::string>{
                "books 66.7 % of the tokens (by size), 2.67 epochs of it in this run",
                "wiki 33.3 % of the tokens (by size), 2.66 epochs of it in this run"}));
}

TEST(DataPlan, RowsOfFewerTokensComeOftener) {
  const RunConfig config = config_of("sources: [{path: a.h5, weight: 1}, {path: b.h5, weight: 1}]");
  const SamplePlan plan = plan_of(config, {{100, 6400}, {100, 1600}});
  EXPECT_NEAR(plan.share(0, 1), 0.8, 1e-6);
}

TEST(DataPlan, TemperatureAndCap) {
  const SamplePlan plan = plan_of(
      config_of("sources: [{path: a.h5}, {path: b.h5}], mixing: temperature, temperature: 2"));
  EXPECT_NEAR(plan.share(0, 0), std::sqrt(2.0) / (1 + std::sqrt(2.0)), 1e-6);
  const SamplePlan capped =
      plan_of(config_of("sources: [{path: a.h5}, {path: b.h5}], size_cap: 3200"));
  EXPECT_NEAR(capped.share(0, 0), 0.5, 1e-6);
}

TEST(DataPlan, PhasesBeginAtWholeSteps) {
  const RunConfig config = config_of(
      "sources: [{path: a.h5, weight: 1}, {path: b.h5, weight: 0}], phases: [{from: {tokens: 1000},"
      " weights: {a: 1, b: 1}}, {from: {samples: 41}, sequence_length: 16}, {from: {steps: 20}, "
      "weights: {b: 2}}]");
  const SamplePlan plan = plan_of(config);
  ASSERT_EQ(plan.phases(), 4u);
  EXPECT_EQ(plan.first_sample(1), 16u);  // 1,000 tokens are 3.9 steps
  EXPECT_EQ(plan.first_sample(2), 44u);
  EXPECT_EQ(plan.first_sample(3), 80u);
  EXPECT_EQ(plan.share(0, 0), 1);
  EXPECT_EQ(plan.share(2, 0), 0.5);  // as before
  EXPECT_EQ(plan.sample(44).parts, 4u);
  EXPECT_EQ(plan.sample(80).parts, 1u);
  EXPECT_EQ(plan.share(3, 1), 1);
  EXPECT_EQ(text_of(config)[3], "from step 11: a 50.0 %, b 50.0 %; rows cut into sequences of 16");
}

TEST(DataPlan, BatchesThatGrow) {
  const RunConfig config = config_of("sources: [{path: a.h5}]",
                                     "schedule: {batch: [{from: {steps: 10}, "
                                     "global_batch_sequences: 8}, {from: {samples: 120}, "
                                     "global_batch_sequences: 16}]}\n");
  const BatchSchedule batches = batch_schedule(config, 4);
  EXPECT_EQ(batches.sequences(9), 4);
  EXPECT_EQ(batches.sequences(10), 8);
  EXPECT_EQ(batches.sequences(20), 16);
  EXPECT_EQ(batches.first_sample(21), 136u);
  const BatchLayout layout = plan_batch(config, 2, [](std::int64_t) { return true; });
  EXPECT_EQ(layout.micro_batch, 2);  // divides all of them
  testing::expect_error(ExitCode::kBadConfig,
                        "schedule.batch entry 1: global_batch_sequences 9 = micro_batch auto x "
                        "data_ranks 2",
                        [] {
                          plan_batch(config_of("sources: [{path: a.h5}]",
                                               "schedule: {batch: [{from: {steps: 10}, "
                                               "global_batch_sequences: 9}]}\n"),
                                     2, [](std::int64_t) { return true; });
                        });
  refused("schedule.batch: entry 2 begins at step 10, not after step 10", "sources: [{path: a.h5}]",
          "schedule: {batch: [{from: {steps: 10}, global_batch_sequences: 8}, {from: {steps: 10}, "
          "global_batch_sequences: 16}]}\n");
}

TEST(DataPlan, BadMixturesAreNamed) {
  refused("wiki has no weight, books has one. Weigh all sources or none",
          "sources: [{path: books.h5, weight: 1}, {path: wiki.h5}]");
  refused("wiki has weight 0 and no phase weighs it",
          "sources: [{path: books.h5, weight: 1}, {path: wiki.h5, weight: 0}]");
  refused("all weights are 0",
          "sources: [{path: a.h5, weight: 0}], phases: [{from: {steps: 1}, weights: {a: 1}}]");
  refused("data.sources[1].weight: expected",
          "sources: [{path: a.h5, weight: 1}, {path: b.h5, weight: -2}]");
  refused("weight: expected a number or null, got nan", "sources: [{path: a.h5, weight: nan}]");
  refused("phase 1 weighs wikipedia, which is no source. Sources: books, wiki",
          "sources: [{path: books.h5}, {path: wiki.h5}], phases: [{from: {steps: 5}, weights: "
          "{wikipedia: 1}}]");
  refused("phase 1 weighs every source 0",
          "sources: [{path: a.h5}], phases: [{from: {steps: 5}, weights: {a: 0}}]");
  refused("phase 2 begins at sample 16, not after sample 20",
          "sources: [{path: a.h5}, {path: b.h5}], phases: [{from: {steps: 5}, weights: {a: 1}}, "
          "{from: {steps: 4}, weights: {b: 1}}]");
  refused("sequence_length 48, which does not divide data.sequence_length 64",
          "sources: [{path: a.h5}], phases: [{from: {steps: 5}, sequence_length: 48}]");
  refused("temperature goes by size, but a has a weight",
          "sources: [{path: a.h5, weight: 1}], mixing: temperature");
  refused("data.temperature: needs data.mixing=temperature",
          "sources: [{path: a.h5}], temperature: 2");
  refused("data.size_cap: is not for weights", "sources: [{path: a.h5, weight: 1}], size_cap: 100");
  refused("a would be read 4.00 times in this run, max_epochs is 3.5",
          "sources: [{path: a.h5, weight: 1, max_epochs: 3.5}, {path: b.h5, weight: 1.0e-9}]");
  refused("train.duration: in hours says not how many samples",
          "sources: [{path: a.h5, max_epochs: 2}]", "", "{hours: 1}");
}

}  // namespace
}  // namespace pretrain
