#include "core/base/files/pending_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/full_disk.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using testing::expect_error;
using testing::FullDisk;
using ::testing::IsEmpty;
using testing::read_file;
using testing::ScratchFolder;
using ::testing::UnorderedElementsAre;
using testing::write_file;

TEST(PendingFileTest, AppearsWhenPublishedOnly) {
  ScratchFolder folder;
  write_file(folder / "f", "old");
  {
    PendingFile next(folder / "f");
    next.content().write("new");
    EXPECT_EQ(read_file(folder / "f"), "old");
    EXPECT_EQ(read_file(next.temporary_path()), "new");
  }
  EXPECT_EQ(read_file(folder / "f"), "old");
  EXPECT_THAT(folder.names(), UnorderedElementsAre("f"));
  {
    PendingFile next(folder / "f");
    next.content().write("new");
    next.content().sync();
    next.publish();
    next.sync_folder();
  }
  EXPECT_EQ(read_file(folder / "f"), "new");
  struct stat info {};
  ASSERT_EQ(stat((folder / "f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0137, 0u);  // at most rw-r-----
}

TEST(PendingFileTest, NamelessFilesLeaveNothingBehind) {
  ScratchFolder folder;
  PendingFile file(folder / "f");
  file.unlink();
  EXPECT_THAT(folder.names(), IsEmpty());
  file.content().write("still writable");
  EXPECT_EQ(file.content().size(), 14u);
}

TEST(PendingFileTest, WhatAKilledWriterLeftIsRecognised) {
  ScratchFolder folder;
  PendingFile file(folder / "f");
  EXPECT_EQ(Directory::open(folder.path()).remove_leftovers().size(), 1u);
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST(PendingFileTest, FoldersThatRefuse) {
  ScratchFolder folder;
  expect_error(ExitCode::kCannotCreate, "Check that it exists",
               [&] { PendingFile file(folder / "none/f"); });
  PendingFile file(folder / "taken");
  std::filesystem::create_directory(folder / "taken");
  expect_error(ExitCode::kCannotCreate, "taken: cannot rename", [&] { file.publish(); });
}

TEST(ReplaceFileTest, ReplacesAndLeavesNothingBehind) {
  ScratchFolder folder;
  replace_file(folder / "f", "old, long");
  replace_file(folder / "f", "new");
  EXPECT_EQ(read_file(folder / "f"), "new");
  EXPECT_THAT(folder.names(), UnorderedElementsAre("f"));
}

TEST(ReplaceFileTest, PlantedLinksAreReplacedNotFollowed) {
  ScratchFolder folder;
  write_file(folder / "target", "kept");
  ASSERT_EQ(symlink((folder / "target").c_str(), (folder / "f").c_str()), 0);
  replace_file(folder / "f", "new");
  EXPECT_EQ(read_file(folder / "f"), "new");
  EXPECT_FALSE(std::filesystem::is_symlink(folder / "f"));
  EXPECT_EQ(read_file(folder / "target"), "kept");
}

TEST(ReplaceFileTest, FullDiskKeepsTheOldContent) {
  ScratchFolder folder;
  replace_file(folder / "f", "old");
  {
    FullDisk full;
    EXPECT_THROW(replace_file(folder / "f", std::string(FullDisk::kBytes + 1, 'x')), Error);
  }
  EXPECT_EQ(read_file(folder / "f"), "old");
  EXPECT_THAT(folder.names(), UnorderedElementsAre("f"));
}

}  // namespace
}  // namespace pretrain
