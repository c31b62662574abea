#include "core/base/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <thread>
#include <vector>

#include "core/base/files/append_file.h"
#include "tests/testing/full_disk.h"
#include "tests/testing/output.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using testing::CapturedStderr;
using ::testing::ElementsAre;
using testing::FullDisk;
using ::testing::HasSubstr;
using testing::lines_of;
using ::testing::MatchesRegex;
using testing::read_file;
using testing::ScratchFolder;

constexpr const char* kTime = "[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+[.][0-9][0-9][0-9]Z ";

class LoggingTest : public ::testing::Test {
 protected:
  ~LoggingTest() override { start_logging(std::nullopt, 0, "", LogLevel::kInfo); }
  std::string log(const char* rank = "00000") const {
    return read_file(folder_ / std::string("logs/rank-") + rank + ".log");
  }
  ScratchFolder folder_;
};

TEST_F(LoggingTest, LinesCarryTimeLevelRankHostAndStep) {
  CapturedStderr captured;
  start_logging(folder_.path(), 0, "node%dB", LogLevel::kInfo);
  log_info("data: open");
  set_log_step(1200);
  log_warning("data: %s {} slow");
  log_error("model: gone");
  log_debug("not at this level");
  EXPECT_THAT(
      lines_of(log()),
      ElementsAre(
          MatchesRegex(std::string(kTime) + "I r0000 node%dB step=- data: open"),
          MatchesRegex(std::string(kTime) + "W r0000 node%dB step=1200 data: %s \\{\\} slow"),
          MatchesRegex(std::string(kTime) + "E r0000 node%dB step=1200 model: gone")));
  EXPECT_EQ(captured.text(), "warning: data: %s {} slow\nerror: model: gone\n");
}

TEST_F(LoggingTest, FileIsPrivateAndGrowsOverStarts) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    start_logging(folder_.path(), 0, "a", LogLevel::kInfo);
    log_info("x: start");
  }
  EXPECT_EQ(lines_of(log()).size(), 2u);
  struct stat info {};
  ASSERT_EQ(stat((folder_ / "logs/rank-00000.log").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0137, 0u);
  ASSERT_EQ(stat((folder_ / "logs").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0027, 0u);
}

TEST_F(LoggingTest, OtherRanksGetTheirFileWithTheFirstWarning) {
  CapturedStderr captured;
  start_logging(folder_.path(), 3, "nodeB", LogLevel::kInfo);
  log_info("x: quiet");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "logs"));
  log_warning("x: loud");
  log_info("x: after");
  EXPECT_THAT(lines_of(log("00003")),
              ElementsAre(HasSubstr(" W r0003 nodeB step=- x: loud"), HasSubstr("x: after")));
  EXPECT_EQ(captured.text(), "warning: rank 3 (nodeB): x: loud\n");
}

TEST_F(LoggingTest, OtherRanksGetTheirFileAtDebugLevel) {
  start_logging(folder_.path(), 12, "b", LogLevel::kDebug);
  log_debug("x: first");
  EXPECT_THAT(lines_of(log("00012")), ElementsAre(HasSubstr(" D r0012 b step=- x: first")));
}

TEST_F(LoggingTest, ControlBytesCannotFakeALine) {
  CapturedStderr captured;
  start_logging(folder_.path(), 0, "a\x1b[2J", LogLevel::kInfo);
  log_warning("x: \x1b[31mred\n2026-01-01T00:00:00.000Z E r0000 forged \xc2\x9b \xff");
  EXPECT_THAT(lines_of(log()),
              ElementsAre(HasSubstr("a\\x1b[2J step=- x: \\x1b[31mred\\n2026-01-01T00:00:00.000Z "
                                    "E r0000 forged \\xc2\\x9b \\xff")));
  EXPECT_EQ(lines_of(captured.text()).size(), 1u);
}

TEST_F(LoggingTest, FullDiskCostsOneWarning) {
  std::vector<std::string> lost;
  start_logging(folder_.path(), 0, "a", LogLevel::kInfo);
  on_log_lost([&](const std::string& file, const std::string& reason) {
    lost.push_back(file + "|" + reason);
    log_warning("x: logged from the handler");
  });
  CapturedStderr captured;
  {
    FullDisk full;
    for (int i = 0; i < 5; ++i) log_info("x: " + std::string(FullDisk::kBytes / 3, 'y'));
  }
  log_info("x: stays dropped");
  EXPECT_EQ(log().size(), FullDisk::kBytes);
  EXPECT_THAT(lost, ElementsAre(HasSubstr("rank-00000.log: cannot write: File too large")));
  EXPECT_THAT(lines_of(captured.text()), ElementsAre(HasSubstr("The log goes on without this file"),
                                                     "warning: x: logged from the handler"));
}

TEST_F(LoggingTest, FolderThatCannotBeMadeCostsOneWarning) {
  CapturedStderr captured;
  start_logging(folder_ / "missing/run", 0, "a", LogLevel::kInfo);
  log_info("x: one");
  log_warning("x: two");
  int told = 0;
  on_log_lost([&](const std::string&, const std::string&) { ++told; });
  EXPECT_EQ(told, 1);
  EXPECT_THAT(lines_of(captured.text()),
              ElementsAre(HasSubstr("rank-00000.log: cannot open: No such file or directory"),
                          "warning: x: two"));
}

TEST_F(LoggingTest, PlantedLinkIsRefusedAndItsTargetKept) {
  testing::write_file(folder_ / "precious", "kept");
  std::filesystem::create_directory(folder_ / "logs");
  ASSERT_EQ(symlink((folder_ / "precious").c_str(), (folder_ / "logs/rank-00000.log").c_str()), 0);
  EXPECT_THROW(start_logging(folder_.path(), 0, "a", LogLevel::kInfo), UnsafeFile);
  EXPECT_EQ(read_file(folder_ / "precious"), "kept");
}

TEST_F(LoggingTest, ThreadsDoNotMixLines) {
  start_logging(folder_.path(), 0, "a", LogLevel::kInfo);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 200; ++i) log_info("x: " + std::string(100, 'y') + " end");
    });
  }
  for (auto& thread : threads) thread.join();
  const auto lines = lines_of(log());
  ASSERT_EQ(lines.size(), 800u);
  for (const auto& line : lines) {
    EXPECT_THAT(line, MatchesRegex(std::string(kTime) + "I r0000 a step=- x: y+ end"));
  }
}

TEST(LogLevelTest, KnowsItsNamesOnly) {
  EXPECT_EQ(log_level("trace"), LogLevel::kTrace);
  EXPECT_EQ(log_level("warning"), LogLevel::kWarning);
  try {
    log_level("loud");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadConfig);
    EXPECT_THAT(error.what(), HasSubstr("logging.level: expected trace, debug"));
  }
}

}  // namespace
}  // namespace pretrain
