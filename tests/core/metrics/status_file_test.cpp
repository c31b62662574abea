#include "core/metrics/status_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "tests/testing/output.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using namespace std::chrono_literals;
using nlohmann::ordered_json;
using ::testing::ElementsAre;
using testing::read_file;
using testing::ScratchFolder;
using ::testing::UnorderedElementsAre;

class StatusFileTest : public ::testing::Test {
 protected:
  ordered_json status() const { return ordered_json::parse(read_file(path_)); }
  ScratchFolder folder_;
  std::string path_ = folder_ / "status.json";
};

TEST_F(StatusFileTest, HasTheKeysOfItsSchema) {
  Status first;
  first.steps = 100;
  first.loss = std::nan("");
  first.checkpoint = CommittedCheckpoint{50, "checkpoints/step-00000050", 1.7e9};
  StatusFile file(path_, first, nullptr);
  const auto content = status();
  std::vector<std::string> keys;
  for (const auto& [key, value] : content.items()) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("v", "state", "code", "reason", "step", "steps", "tokens", "loss",
                                "rank", "host", "pid", "world", "attempt", "started", "updated",
                                "eta_s", "checkpoint", "job"));
  EXPECT_EQ(content["state"], "starting");
  EXPECT_TRUE(content["code"].is_null());
  EXPECT_EQ(content["loss"], "nan");
  EXPECT_EQ(content["checkpoint"],
            (ordered_json{{"step", 50}, {"path", "checkpoints/step-00000050"}, {"time", 1.7e9}}));
  EXPECT_TRUE(content["job"].is_null());
}

TEST_F(StatusFileTest, TheFirstRankThatEndsAnAttemptHasTheLastWord) {
  StatusFile file(path_, {}, nullptr, 1h);
  Status other;
  other.rank = 3;
  other.state = RunState::kFailed;
  other.code = 73;
  write_status(path_, other);
  file.update([](Status& s) { s.state = RunState::kSaving; });
  EXPECT_EQ(status()["code"], 73);
  EXPECT_EQ(status()["rank"], 3);
  Status next;
  next.attempt = 2;
  write_status(path_, next);
  EXPECT_EQ(status()["state"], "starting");
}

TEST_F(StatusFileTest, AChangeOfStateOrCodeIsWrittenAtOnce) {
  StatusFile file(path_, {}, nullptr, 1h);
  file.update([](Status& s) { s.step = 5; });
  EXPECT_EQ(status()["step"], 0);
  file.update([](Status& s) { s.state = RunState::kSaving; });
  EXPECT_EQ(status()["state"], "saving");
  EXPECT_EQ(status()["step"], 5);
  file.update([](Status& s) { s.code = 75; });
  EXPECT_EQ(status()["code"], 75);
}

TEST_F(StatusFileTest, TheBeatAndTheEndWriteTheRest) {
  auto file = std::make_unique<StatusFile>(path_, Status{}, nullptr, 5ms);
  file->update([](Status& s) { s.step = 5; });
  for (int i = 0; i < 2000 && status()["step"] != 5; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(status()["step"], 5);
  file.reset();

  file = std::make_unique<StatusFile>(path_, Status{}, nullptr, 1h);
  file->update([](Status& s) { s.step = 6; });
  file.reset();
  EXPECT_EQ(status()["step"], 6);
  EXPECT_THAT(folder_.names(), UnorderedElementsAre("status.json"));
}

TEST_F(StatusFileTest, AReaderAlwaysSeesACompleteFile) {
  StatusFile file(path_, {}, nullptr, 1ms);
  std::atomic<bool> done = false;
  std::atomic<int> bad = 0;
  std::thread reader([&] {
    while (!done) bad += ordered_json::accept(read_file(path_)) ? 0 : 1;
  });
  for (int i = 0; i < 300; ++i) {
    file.update([&](Status& s) {
      s.state = i % 2 == 0 ? RunState::kRunning : RunState::kEvaluating;
      s.reason = std::string(static_cast<std::size_t>(i * 20), 'r');
    });
  }
  done = true;
  reader.join();
  EXPECT_EQ(bad, 0);
}

TEST_F(StatusFileTest, AFailureWarnsOnceAndLaterWritesAreTried) {
  testing::CapturedStderr captured;
  int lost = 0;
  std::filesystem::create_directory(path_);  // a rename over a folder fails
  StatusFile file(
      path_, {}, [&](const std::string&, const std::string&) { ++lost; }, 1h);
  file.update([](Status& s) { s.state = RunState::kRunning; });
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(testing::count(captured.text(), "warning: "), 1u);
  std::filesystem::remove(path_);
  file.update([](Status& s) { s.state = RunState::kDone; });
  EXPECT_EQ(status()["state"], "done");
}

TEST_F(StatusFileTest, DamagedOldContentIsReplaced) {
  testing::write_file(path_, "\xff{garbage");
  StatusFile file(path_, {}, nullptr);
  EXPECT_EQ(status()["state"], "starting");
}

TEST(RunStateTest, Names) {
  EXPECT_STREQ(to_string(RunState::kStarting), "starting");
  EXPECT_STREQ(to_string(RunState::kEvaluating), "evaluating");
  EXPECT_STREQ(to_string(RunState::kFailed), "failed");
}

}  // namespace
}  // namespace pretrain
