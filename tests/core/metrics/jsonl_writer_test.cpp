#include "core/metrics/jsonl_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/base/random.h"
#include "tests/testing/full_disk.h"
#include "tests/testing/output.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using testing::CapturedStderr;
using testing::count;
using ::testing::ElementsAre;
using testing::FullDisk;
using ::testing::HasSubstr;
using testing::read_file;
using testing::ScratchFolder;
using ::testing::UnorderedElementsAre;
using testing::write_file;

JsonObject line(std::int64_t step) { return JsonObject().add("step", step); }

TEST(JsonlWriterTest, AppendsLinesAndMendsATornOne) {
  ScratchFolder folder;
  const std::string path = folder / "m.jsonl";
  write_file(path, "{\"step\": 1}\n{\"ste");
  JsonlWriter writer(path, nullptr);
  writer.write(line(2));
  writer.sync();
  EXPECT_EQ(read_file(path), "{\"step\": 1}\n{\"ste\n{\"step\": 2}\n");
  EXPECT_FALSE(writer.lost());
}

TEST(JsonlWriterTest, FullDiskCostsOneWarningAndOneCall) {
  ScratchFolder folder;
  CapturedStderr captured;
  std::vector<std::string> lost;
  JsonlWriter writer(folder / "m.jsonl", [&](const std::string& path, const std::string&) {
    lost.push_back(path);
    writer.write(line(9));  // coming back to the lost sink is harmless
  });
  {
    FullDisk full;
    const std::string pad(FullDisk::kBytes / 3, 'p');
    for (int step = 0; step < 5; ++step) writer.write(line(step).add("pad", pad));
  }
  writer.write(line(6));
  writer.sync();
  EXPECT_TRUE(writer.lost());
  EXPECT_THAT(lost, ElementsAre(folder / "m.jsonl"));
  EXPECT_EQ(count(captured.text(), "warning: "), 1u);
  EXPECT_EQ(read_file(folder / "m.jsonl").size(), FullDisk::kBytes);
}

TEST(JsonlWriterTest, FolderThatTakesNoFileCostsOneWarning) {
  CapturedStderr captured;
  int lost = 0;
  JsonlWriter writer("/proc/self/m.jsonl", [&](const std::string&, const std::string&) { ++lost; });
  writer.write(line(1));
  EXPECT_TRUE(writer.lost());
  EXPECT_EQ(lost, 1);
  EXPECT_THAT(captured.text(), HasSubstr("Training goes on without this file"));
  EXPECT_EQ(count(captured.text(), "warning: "), 1u);
}

TEST(JsonlWriterTest, PlantedFifoIsRefusedAtOnce) {
  ScratchFolder folder;
  ASSERT_EQ(mkfifo((folder / "m.jsonl").c_str(), 0600), 0);
  EXPECT_THROW(JsonlWriter(folder / "m.jsonl", nullptr), UnsafeFile);
}

// Files of random good, damaged and torn lines: what stays is exactly the good lines up to the
// step, byte for byte.
TEST(CutBackTest, KeepsExactlyTheGoodLinesUpToTheStep) {
  RandomStream random(5, RandomPurpose::kTest, 0);
  ScratchFolder folder;
  const std::string path = folder / "m.jsonl";
  for (int trial = 0; trial < 100; ++trial) {
    const auto last_step = static_cast<std::int64_t>(random.below(40));
    std::string content;
    std::string expected;
    const std::uint64_t lines = random.below(30);
    for (std::uint64_t i = 0; i < lines; ++i) {
      const auto step = static_cast<std::int64_t>(random.below(40));
      const std::string text = JsonObject()
                                   .add("phase", random.below(2) == 0 ? "train" : "eval")
                                   .add("step", step)
                                   .add("pad", std::string(random.below(300), 'p'))
                                   .text();
      switch (random.below(8)) {
        case 0:
          content += text.substr(0, random.below(text.size())) + "\n";
          break;
        case 1:
          content += std::string("[1]\n{}\n{\"step\": \"3\"}\n\n\xff\n");
          break;
        default:
          content += text + "\n";
          if (step <= last_step) expected += text + "\n";
      }
    }
    if (random.below(2) == 0) content += "{\"step\": 0, \"torn\": ";
    write_file(path, content);
    EXPECT_TRUE(cut_back(path, last_step));
    ASSERT_EQ(read_file(path), expected);
    EXPECT_THAT(folder.names(), UnorderedElementsAre("m.jsonl"));
  }
}

TEST(CutBackTest, AValidLastLineWithoutNewlineIsTorn) {
  ScratchFolder folder;
  write_file(folder / "m", "{\"step\": 1}\n{\"step\": 2}");
  EXPECT_TRUE(cut_back(folder / "m", 5));
  EXPECT_EQ(read_file(folder / "m"), "{\"step\": 1}\n");
}

TEST(CutBackTest, LongLinesAndLongFiles) {
  ScratchFolder folder;
  std::string content = std::string(std::size_t{3} << 20, 'g') + "\n";
  std::string expected;
  for (int step = 0; step < 60000; ++step) {
    const std::string text = line(step).add("pad", "0123456789012345678901234567890").text() + "\n";
    content += text;
    if (step <= 30000) expected += text;
  }
  write_file(folder / "m", content);
  EXPECT_TRUE(cut_back(folder / "m", 30000));
  EXPECT_TRUE(read_file(folder / "m") == expected);
}

TEST(CutBackTest, AnUntouchedFileKeepsItsInode) {
  ScratchFolder folder;
  write_file(folder / "m", "{\"step\": 1}\n");
  struct stat before {};
  struct stat after {};
  ASSERT_EQ(stat((folder / "m").c_str(), &before), 0);
  EXPECT_TRUE(cut_back(folder / "m", 1));
  ASSERT_EQ(stat((folder / "m").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST(CutBackTest, MissingAndEmptyFilesAreNoFault) {
  ScratchFolder folder;
  EXPECT_TRUE(cut_back(folder / "none", 3));
  write_file(folder / "empty", "");
  EXPECT_TRUE(cut_back(folder / "empty", 3));
  EXPECT_EQ(read_file(folder / "empty"), "");
}

TEST(CutBackTest, FullDiskWarnsAndKeepsTheFile) {
  ScratchFolder folder;
  const std::string pad(FullDisk::kBytes, 'p');
  const std::string content = line(1).add("pad", pad).text() + "\n" + line(9).text() + "\n";
  write_file(folder / "m", content);
  CapturedStderr captured;
  {
    FullDisk full;
    EXPECT_FALSE(cut_back(folder / "m", 1));
  }
  EXPECT_EQ(read_file(folder / "m"), content);
  EXPECT_THAT(captured.text(), HasSubstr("Lines after step 1 stay in it"));
}

TEST(CutBackTest, FifoIsNotWaitedFor) {
  ScratchFolder folder;
  ASSERT_EQ(mkfifo((folder / "m").c_str(), 0600), 0);
  CapturedStderr captured;
  EXPECT_FALSE(cut_back(folder / "m", 1));
  EXPECT_THAT(captured.text(), HasSubstr("is not a regular file"));
}

}  // namespace
}  // namespace pretrain
