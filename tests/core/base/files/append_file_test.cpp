#include "core/base/files/append_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/testing/full_disk.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using testing::FullDisk;
using ::testing::HasSubstr;
using testing::read_file;
using testing::ScratchFolder;
using testing::write_file;

std::string refusal(const std::string& path) {
  try {
    AppendFile file(path);
    return "opened";
  } catch (const UnsafeFile& error) {
    EXPECT_EQ(error.code(), ExitCode::kCannotCreate);
    return error.what();
  }
}

TEST(AppendFileTest, AppendsWithoutTruncating) {
  ScratchFolder folder;
  const std::string path = folder / "sub/file";
  AppendFile(path).append("one\n");
  AppendFile file(path);
  EXPECT_FALSE(file.ends_torn());
  file.append("two");
  EXPECT_TRUE(file.ends_torn());
  file.sync();
  EXPECT_EQ(read_file(path), "one\ntwo");
}

TEST(AppendFileTest, RefusesWhatARunNeverMakes) {
  ScratchFolder folder;
  write_file(folder / "target", "kept");
  ASSERT_EQ(symlink((folder / "target").c_str(), (folder / "link").c_str()), 0);
  EXPECT_THAT(refusal(folder / "link"), HasSubstr("/link: is a symbolic link, expected"));
  ASSERT_EQ(link((folder / "target").c_str(), (folder / "hard").c_str()), 0);
  EXPECT_THAT(refusal(folder / "hard"), HasSubstr("hard link"));
  ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(refusal(folder / "fifo"), HasSubstr("is not a regular file"));
  EXPECT_THAT(refusal(folder.path()), HasSubstr("is not a regular file"));
  EXPECT_THAT(refusal("/dev/full"), HasSubstr("is not a regular file"));
  EXPECT_EQ(read_file(folder / "target"), "kept");
}

TEST(AppendFileTest, RefusesAnotherUsersFile) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ScratchFolder folder;
  write_file(folder / "theirs", "kept");
  ASSERT_EQ(chown((folder / "theirs").c_str(), 65534, 65534), 0);
  EXPECT_THAT(refusal(folder / "theirs"), HasSubstr("owned by another user"));
}

TEST(AppendFileTest, FullDiskIsCode73) {
  ScratchFolder folder;
  AppendFile file(folder / "f");
  FullDisk full;
  try {
    file.append(std::string(FullDisk::kBytes + 1, 'x'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kCannotCreate);
    EXPECT_THAT(error.what(), HasSubstr("/f: cannot write: File too large"));
  }
}

TEST(AppendFileTest, MissingFolderIsCode73) {
  try {
    AppendFile file("/proc/self/nothing/file");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kCannotCreate);
    EXPECT_EQ(dynamic_cast<const UnsafeFile*>(&error), nullptr);
  }
}

}  // namespace
}  // namespace pretrain
