#include "core/metrics/event_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/random.h"
#include "tests/core/metrics/event_file_reader.h"
#include "tests/testing/full_disk.h"
#include "tests/testing/output.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using testing::CapturedStderr;
using testing::count;
using ::testing::ElementsAre;
using testing::FullDisk;
using ::testing::MatchesRegex;
using ::testing::Pair;
using testing::read_events;
using testing::read_file;
using testing::ScratchFolder;
using ::testing::UnorderedElementsAre;
using testing::write_file;

TEST(Crc32cTest, KnownAnswers) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  // RFC 3720, B.4.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
}

TEST(EventWriterTest, WritesVersionThenScalars) {
  ScratchFolder folder;
  EventWriter writer(folder.path(), "nodeA", std::nullopt, nullptr);
  writer.write(1234.5, 300, {{"lr", 0.25}, {"time_metrics/end_to_end(s)", -3.5}});
  writer.write(1235.5, std::int64_t{1} << 40, {{"loss", std::nan("")}});
  ASSERT_EQ(folder.names().size(), 1u);
  EXPECT_THAT(folder.names()[0],
              MatchesRegex("events[.]out[.]tfevents[.][0-9]+[.]nodeA[.][0-9]+[.]0"));
  const auto events = read_events(read_file(folder / folder.names()[0]));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_GT(events[0].wall_time, 1.7e9);
  EXPECT_EQ(events[1].wall_time, 1234.5);
  EXPECT_EQ(events[1].step, 300u);
  EXPECT_FALSE(events[1].session_status.has_value());
  EXPECT_THAT(events[1].scalars,
              UnorderedElementsAre(Pair("lr", 0.25f), Pair("time_metrics/end_to_end(s)", -3.5f)));
  EXPECT_EQ(events[2].step, std::uint64_t{1} << 40);
  EXPECT_TRUE(std::isnan(events[2].scalars.at("loss")));
}

TEST(EventWriterTest, FirstRecordMatchesAFrameMadeByHand) {
  ScratchFolder folder;
  EventWriter writer(folder.path(), "a", std::nullopt, nullptr);
  const std::string bytes = read_file(folder / folder.names()[0]);
  // 9 bytes of wall_time, 2 of key and length, 13 of text.
  ASSERT_EQ(bytes.size(), 8u + 4 + 24 + 4);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x18\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(bytes[12], '\x09');
  EXPECT_EQ(bytes.substr(21, 15),
            "\x1a\x0d"
            "brain.Event:2");
}

TEST(EventWriterTest, AResumeStartsANewFileThatPurgesLaterSteps) {
  ScratchFolder folder;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto resumed_at =
        attempt == 0 ? std::nullopt : std::optional<std::int64_t>(100 * attempt);
    EventWriter(folder.path(), "a", resumed_at, nullptr).write(1, 7, {{"x", attempt}});
  }
  const auto names = folder.names();
  ASSERT_EQ(names.size(), 3u);
  // In the order of their names the files are in the order of their making, in one second too.
  for (std::size_t i = 0; i < 3; ++i) {
    const auto events = read_events(read_file(folder / names[i]));
    EXPECT_EQ(events.back().scalars.at("x"), static_cast<float>(i));
    ASSERT_EQ(events.size(), i == 0 ? 2u : 3u);
    if (i == 0) continue;
    EXPECT_EQ(events[1].session_status, 1u);
    EXPECT_EQ(events[1].step, 100 * i + 1);
  }
}

TEST(EventWriterTest, FilesFromTheFutureStayInFront) {
  ScratchFolder folder;
  write_file(folder / "events.out.tfevents.4000000000.z.1.0", "");
  write_file(folder / "events.out.tfevents.99999999999999999.z.1.0", "");
  EventWriter writer(folder.path(), "a", std::nullopt, nullptr);
  EXPECT_THAT(folder.names(),
              ElementsAre("events.out.tfevents.4000000000.z.1.0",
                          MatchesRegex("events.out.tfevents.4000000001[.]a[.][0-9]+[.]2"),
                          "events.out.tfevents.99999999999999999.z.1.0"));
}

TEST(EventWriterTest, FullDiskCostsOneWarning) {
  ScratchFolder folder;
  CapturedStderr captured;
  int lost = 0;
  EventWriter writer(folder.path(), "a", std::nullopt,
                     [&](const std::string&, const std::string&) { ++lost; });
  {
    FullDisk full;
    for (int step = 0; step < 4; ++step)
      writer.write(1, step, {{std::string(FullDisk::kBytes / 3, 'x'), 1.0}});
  }
  EXPECT_TRUE(writer.lost());
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(count(captured.text(), "warning: "), 1u);
}

}  // namespace
}  // namespace pretrain
