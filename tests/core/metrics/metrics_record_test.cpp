#include "core/metrics/metrics_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace pretrain {
namespace {

using nlohmann::ordered_json;
using ::testing::ElementsAre;

std::vector<std::string> keys(const ordered_json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

TEST(MetricsRecordTest, TrainLineHasTheKeysOfItsSchema) {
  TrainRecord record;
  record.at = {.step = 7,
               .tokens = std::int64_t{1} << 60,
               .real_tokens = 60,
               .samples = 5,
               .targets = 50,
               .epoch = 0.25,
               .flops = 1.5e21};
  record.loss = 3.412;
  record.parts = {{"disc", 1.5}, {"gen", 1.912}};
  record.mfu = 0.381;
  record.mean = {.step = 0.5, .data = 0.1, .compute = 0.2, .comm = 0.05, .opt = 0.1, .other = 0.05};
  record.world = 4;
  const auto line = ordered_json::parse(to_json(record).text());
  EXPECT_THAT(
      keys(line),
      ElementsAre("v", "t", "attempt", "phase", "step", "tokens", "real_tokens", "samples",
                  "targets", "epoch", "flops", "loss", "loss_max", "parts", "lr", "grad_norm",
                  "param_norm", "skipped", "tok_per_s", "tflops", "mfu", "t_step", "t_data",
                  "t_compute", "t_comm", "t_opt", "t_other", "mem_gib", "mem_peak_gib", "world"));
  EXPECT_EQ(line["v"], 1);
  EXPECT_EQ(line["phase"], "train");
  EXPECT_EQ(line["tokens"].get<std::int64_t>(), std::int64_t{1} << 60);
  EXPECT_EQ(line["parts"], (ordered_json{{"disc", 1.5}, {"gen", 1.912}}));
  EXPECT_EQ(line["mfu"], 0.381);
  EXPECT_EQ(line["t_other"], 0.05);
  EXPECT_GT(line["t"].get<double>(), 1.7e9);
}

TEST(MetricsRecordTest, EvalLineHasTheKeysOfItsSchema) {
  EvalRecord record;
  record.at.step = 500;
  record.set = "books\n";
  record.bpb = 1.234;
  const auto line = ordered_json::parse(to_json(record).text());
  EXPECT_THAT(keys(line), ElementsAre("v", "t", "attempt", "phase", "step", "tokens", "real_tokens",
                                      "samples", "targets", "epoch", "flops", "set", "loss",
                                      "parts", "ppl", "bpb", "acc", "bytes", "t_eval", "world"));
  EXPECT_EQ(line["phase"], "eval");
  EXPECT_EQ(line["set"], "books\n");
  EXPECT_EQ(line["bpb"], 1.234);
  EXPECT_TRUE(line["acc"].is_null());
}

TEST(MetricsRecordTest, NotFiniteValuesAreStringsAndUnknownOnesNull) {
  TrainRecord record;
  record.loss = std::nan("");
  record.grad_norm = std::numeric_limits<double>::infinity();
  record.parts = {{"z", -std::numeric_limits<double>::infinity()}};
  const auto line = ordered_json::parse(to_json(record).text());
  EXPECT_EQ(line["loss"], "nan");
  EXPECT_EQ(line["grad_norm"], "inf");
  EXPECT_EQ(line["parts"]["z"], "-inf");
  EXPECT_TRUE(line["mfu"].is_null());
}

}  // namespace
}  // namespace pretrain
