#include "core/metrics/metrics_logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/core/metrics/event_file_reader.h"
#include "tests/testing/output.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using testing::lines_of;
using ::testing::Pair;
using testing::read_file;
using testing::ScratchFolder;
using ::testing::UnorderedElementsAre;

class MetricsLoggerTest : public ::testing::Test {
 protected:
  MetricsContext context() {
    MetricsContext context;
    context.run_dir = folder_.path();
    context.host = "nodeA";
    context.console = &console_;
    context.on_lost = [this](const std::string& path, const std::string&) {
      lost_.push_back(path);
    };
    return context;
  }
  std::vector<testing::ReadEvent> events() const {
    std::vector<testing::ReadEvent> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "tb")) {
      for (const auto& event : testing::read_events(read_file(entry.path().string()))) {
        all.push_back(event);
      }
    }
    return all;
  }
  static TrainRecord train_at(std::int64_t step) {
    TrainRecord record;
    record.at.step = step;
    record.loss = 2;
    record.loss_max = 3;
    record.grad_norm = 0.5;
    record.lr = 0.25;
    record.tok_per_s = 100;
    record.tflops = 7;
    record.mfu = 0.5;
    record.mean.step = 2;
    record.mean.data = 0.5;
    record.mem_peak_gib = 9;
    return record;
  }
  ScratchFolder folder_;
  std::ostringstream console_;
  std::vector<std::string> lost_;
};

TEST_F(MetricsLoggerTest, OneRecordReachesAllSinks) {
  MetricsLogger logger({}, context());
  logger.train(train_at(10), 60);
  EvalRecord eval;
  eval.at.step = 10;
  eval.set = "books";
  eval.loss = 1.5;
  eval.bpb = 0.75;
  logger.eval(eval);
  logger.sync();

  const auto lines = lines_of(read_file(folder_ / "metrics.jsonl"));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["phase"], "train");
  EXPECT_EQ(nlohmann::json::parse(lines[1])["set"], "books");
  EXPECT_EQ(lines_of(console_.str()).size(), 2u);

  const auto written = events();
  ASSERT_EQ(written.size(), 3u);
  EXPECT_EQ(written[1].step, 10u);
  EXPECT_THAT(written[1].scalars,
              UnorderedElementsAre(
                  Pair("loss_metrics/global_avg_loss", 2), Pair("loss_metrics/global_max_loss", 3),
                  Pair("grad_norm", 0.5), Pair("lr", 0.25), Pair("throughput(tps)", 100),
                  Pair("tflops", 7), Pair("mfu(%)", 50), Pair("time_metrics/end_to_end(s)", 2),
                  Pair("time_metrics/data_loading(s)", 0.5),
                  Pair("time_metrics/data_loading(%)", 25), Pair("memory/max_active(GiB)", 9)));
  EXPECT_THAT(written[2].scalars,
              UnorderedElementsAre(Pair("eval/books/loss", 1.5), Pair("eval/books/bpb", 0.75)));
}

TEST_F(MetricsLoggerTest, UnknownValuesHaveNoScalar) {
  LoggingOptions options;
  options.console = "none";
  MetricsLogger logger(options, context());
  TrainRecord record = train_at(1);
  record.mfu.reset();
  record.mean = {};
  logger.train(record, std::nullopt);
  const auto scalars = events().at(1).scalars;
  EXPECT_FALSE(scalars.contains("mfu(%)"));
  EXPECT_FALSE(scalars.contains("time_metrics/data_loading(%)"));
  EXPECT_EQ(console_.str(), "");
}

TEST_F(MetricsLoggerTest, AResumeCutsBackWhatCameAfterTheCheckpoint) {
  {
    MetricsLogger logger({}, context());
    for (const std::int64_t step : {10, 20, 30}) logger.train(train_at(step), {});
  }
  auto resumed = context();
  resumed.resumed_at = 20;
  MetricsLogger logger({}, resumed);
  logger.train(train_at(30), {});
  std::vector<std::int64_t> steps;
  for (const auto& line : lines_of(read_file(folder_ / "metrics.jsonl"))) {
    steps.push_back(nlohmann::json::parse(line)["step"]);
  }
  EXPECT_THAT(steps, ElementsAre(10, 20, 30));
  int starts = 0;
  for (const auto& event : events()) starts += event.session_status == 1u && event.step == 21;
  EXPECT_EQ(starts, 1);
}

TEST_F(MetricsLoggerTest, TensorboardCanBeOff) {
  LoggingOptions options;
  options.tensorboard = false;
  MetricsLogger logger(options, context());
  logger.train(train_at(1), {});
  EXPECT_THAT(folder_.names(), UnorderedElementsAre("metrics.jsonl"));
}

TEST_F(MetricsLoggerTest, DeadSinksLeaveTheOthersAlive) {
  testing::CapturedStderr captured;
  testing::write_file(folder_ / "tb", "a file where the folder should be");
  MetricsLogger logger({}, context());
  console_.setstate(std::ios::badbit);
  logger.train(train_at(1), {});
  EXPECT_EQ(lines_of(read_file(folder_ / "metrics.jsonl")).size(), 1u);
  EXPECT_EQ(lost_.size(), 1u);
  EXPECT_EQ(testing::count(captured.text(), "warning: "), 1u);
}

TEST_F(MetricsLoggerTest, PlantedLinkStopsTheStart) {
  ASSERT_EQ(symlink("/dev/null", (folder_ / "metrics.jsonl").c_str()), 0);
  EXPECT_THROW(MetricsLogger({}, context()), UnsafeFile);
}

}  // namespace
}  // namespace pretrain
