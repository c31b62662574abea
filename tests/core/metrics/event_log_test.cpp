#include "core/metrics/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/testing/output.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using nlohmann::ordered_json;
using ::testing::ElementsAre;
using testing::lines_of;
using testing::read_file;
using testing::ScratchFolder;

TEST(EventLogTest, LinesHaveTheFixedKeysThenTheOthers) {
  ScratchFolder folder;
  EventLog log(folder / "events.jsonl", {.attempt = 2, .rank = 1, .host = "nodeB"});
  log.write("ckpt_commit", 1000, "every 1000", {{"path", "step-1"}, {"bytes", 12}, {"s", 0.5}});
  log.sync();
  const auto line = ordered_json::parse(read_file(folder / "events.jsonl"));
  std::vector<std::string> keys;
  for (const auto& [key, value] : line.items()) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("v", "t", "attempt", "event", "rank", "host", "step", "reason",
                                "path", "bytes", "s"));
  EXPECT_EQ(line["v"], 1);
  EXPECT_EQ(line["attempt"], 2);
  EXPECT_EQ(line["event"], "ckpt_commit");
  EXPECT_EQ(line["rank"], 1);
  EXPECT_EQ(line["step"], 1000);
  EXPECT_EQ(line["reason"], "every 1000");
  EXPECT_EQ(line["path"], "step-1");
  EXPECT_EQ(line["bytes"], 12);
  EXPECT_EQ(line["s"], 0.5);
}

TEST(EventLogTest, SeveralWritersNeverMixLines) {
  ScratchFolder folder;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 4; ++rank) {
    threads.emplace_back([&folder, rank] {
      EventLog log(folder / "events.jsonl", {.attempt = 1, .rank = rank, .host = "h"});
      for (int i = 0; i < 100; ++i) log.write("skip", i, std::string(200, 'r'));
    });
  }
  for (auto& thread : threads) thread.join();
  const auto lines = lines_of(read_file(folder / "events.jsonl"));
  EXPECT_EQ(lines.size(), 400u);
  for (const auto& line : lines) EXPECT_TRUE(ordered_json::accept(line));
}

TEST(EventLogTest, AnOldTornLineSpoilsNoNewOne) {
  ScratchFolder folder;
  testing::write_file(folder / "events.jsonl", "{\"v\": 1, \"ev");
  EventLog(folder / "events.jsonl", {}).write("resume", 5, "");
  const auto lines = lines_of(read_file(folder / "events.jsonl"));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(ordered_json::parse(lines[1])["event"], "resume");
}

TEST(EventLogTest, LosingItIsHarmless) {
  testing::CapturedStderr captured;
  EventLog log("/proc/self/events.jsonl", {});
  log.write("oom", 1, "");
  EXPECT_TRUE(log.lost());
  EXPECT_EQ(testing::count(captured.text(), "warning: "), 1u);
}

}  // namespace
}  // namespace pretrain
