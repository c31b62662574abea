#include "core/base/files/pending_file.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

using PendingFileTest = CorpusFixture;

TEST_F(PendingFileTest, AppearsWhenPublishedOnly) {
  {
    PendingFile file(path("a"));
    file.append(bytes("hello"));
    file.write_at(1, bytes("u"));
    std::string back(3, ' ');
    file.read_at(1, std::as_writable_bytes(std::span(back)));
    EXPECT_EQ(back, "ull");
    EXPECT_EQ(file.size(), 5u);
    file.sync();
    EXPECT_FALSE(std::filesystem::exists(path("a")));
    file.publish();
    sync_folder(path("a"));
  }
  EXPECT_EQ(read(path("a")), "hullo");
  struct stat info {};
  ASSERT_EQ(stat(path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0137, 0u);  // at most rw-r-----
  { PendingFile dropped(path("b")); }
  EXPECT_EQ(files(), std::vector<std::string>{"a"});
}

TEST_F(PendingFileTest, NamelessFilesLeaveNothingBehind) {
  PendingFile file(path("a"));
  file.unlink();
  EXPECT_TRUE(files().empty());
  file.append(bytes("still writable"));
  EXPECT_EQ(file.size(), 14u);
}

TEST_F(PendingFileTest, FullDiskSaysWhatIsNeededAndFree) {
  PendingFile file(path("a"));
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1024, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string text(2000, 'x');
  const auto written = message([&] { file.append(bytes(text)); }, ExitCode::kCannotCreate);
  const auto reserved = message([&] { file.reserve(5000); }, ExitCode::kCannotCreate);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(written, AllOf(HasSubstr(path("a")), HasSubstr("needs 2.0 KiB"), HasSubstr("free")));
  EXPECT_THAT(reserved, HasSubstr("needs 4.9 KiB"));
}

TEST_F(PendingFileTest, FoldersThatRefuse) {
  EXPECT_THAT(message([&] { PendingFile file(path("none/a")); }, ExitCode::kCannotCreate),
              HasSubstr("Check that the folder exists"));
  PendingFile file(path("taken"));
  std::filesystem::create_directory(path("taken"));
  EXPECT_THAT(message([&] { file.publish(); }, ExitCode::kCannotCreate), HasSubstr("renamed"));
}

TEST_F(PendingFileTest, ReadsWholeFilesUpToALimit) {
  const std::string file = write("a", std::string("x\0y", 3));
  EXPECT_EQ(read_file(file, 3), std::string("x\0y", 3));
  EXPECT_EQ(read_file(write("empty", ""), 3), "");
  EXPECT_THAT(message([&] { read_file(file, 2); }), HasSubstr("at most 2 B are read"));
}

}  // namespace
}  // namespace pretrain
