#include "core/base/files/replace_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/error.h"
#include "tests/core/metrics/temporary_folder.h"

namespace pretrain {
namespace {

using testing::FullDisk;
using testing::read_file;
using testing::TemporaryFolder;
using ::testing::UnorderedElementsAre;
using testing::write_file;

TEST(ReplaceFileTest, ReplacesAndLeavesNothingBehind) {
  TemporaryFolder folder;
  replace_file(folder.file("f"), "old, long");
  replace_file(folder.file("f"), "new");
  EXPECT_EQ(read_file(folder.file("f")), "new");
  EXPECT_THAT(folder.names(), UnorderedElementsAre("f"));
}

TEST(ReplaceFileTest, NothingChangesUnlessPublished) {
  TemporaryFolder folder;
  write_file(folder.file("f"), "old");
  {
    ReplacementFile next(folder.file("f"));
    next.write("new");
    EXPECT_EQ(read_file(folder.file("f")), "old");
  }
  EXPECT_EQ(read_file(folder.file("f")), "old");
  EXPECT_THAT(folder.names(), UnorderedElementsAre("f"));
}

TEST(ReplaceFileTest, TakesOverWhatAKilledWriterLeft) {
  TemporaryFolder folder;
  write_file(folder.file("f.tmp-0"), "half");
  replace_file(folder.file("f"), "new");
  EXPECT_EQ(read_file(folder.file("f")), "new");
  EXPECT_THAT(folder.names(), UnorderedElementsAre("f"));
}

TEST(ReplaceFileTest, PlantedLinksAreReplacedNotFollowed) {
  TemporaryFolder folder;
  write_file(folder.file("target"), "kept");
  for (const char* name : {"f", "f.tmp-0"}) {
    ASSERT_EQ(symlink(folder.file("target").c_str(), folder.file(name).c_str()), 0);
  }
  replace_file(folder.file("f"), "new");
  EXPECT_EQ(read_file(folder.file("f")), "new");
  EXPECT_FALSE(std::filesystem::is_symlink(folder.file("f")));
  EXPECT_EQ(read_file(folder.file("target")), "kept");
}

TEST(ReplaceFileTest, FullDiskKeepsTheOldContent) {
  TemporaryFolder folder;
  replace_file(folder.file("f"), "old");
  {
    FullDisk full;
    EXPECT_THROW(replace_file(folder.file("f"), std::string(FullDisk::kBytes + 1, 'x')), Error);
  }
  EXPECT_EQ(read_file(folder.file("f")), "old");
  EXPECT_THAT(folder.names(), UnorderedElementsAre("f"));
}

}  // namespace
}  // namespace pretrain
