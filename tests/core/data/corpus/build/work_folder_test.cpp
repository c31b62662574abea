#include "core/data/corpus/build/work_folder.h"

#include "core/base/files/file_observer.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

class WorkFolderTest : public CorpusFixture {
 protected:
  std::string work() const { return path("c.h5.build"); }
};

TEST_F(WorkFolderTest, GoesWithItsFilesUnlessKept) {
  {
    WorkFolder folder(work());
    write("c.h5.build/journal.json", "1");
    EXPECT_THAT(message([&] { WorkFolder second(work()); }, ExitCode::kLocked),
                ::testing::HasSubstr("another command makes this corpus"));
    folder.keep = true;
  }
  EXPECT_EQ(read(work() + "/journal.json"), "1");
  { const WorkFolder folder(work()); }
  EXPECT_FALSE(std::filesystem::exists(work()));
}

// Another process makes its lock as soon as ours is gone.
TEST_F(WorkFolderTest, WhatAnotherTakesAtOnceStays) {
  WorkFolder folder(work());
  write("c.h5.build/spool", "ours");
  const ScopedFileObserver observer([&](const FileOperation& operation) {
    if (std::string_view(operation.name) == "rmdir") write("c.h5.build/run.lock", "another's");
    return 0;
  });
  folder.remove();
  EXPECT_EQ(read(work() + "/run.lock"), "another's");
  EXPECT_FALSE(std::filesystem::exists(work() + "/spool"));
}

TEST_F(WorkFolderTest, WhatAnotherHasTakenStays) {
  WorkFolder folder(work());
  write("c.h5.build/run.lock", "another's");
  write("c.h5.build/spool", "another's");
  EXPECT_THAT(message([&] { folder.require(); }, ExitCode::kLocked),
              ::testing::HasSubstr("the lock was lost"));
  folder.remove();
  EXPECT_EQ(read(work() + "/spool"), "another's");
  EXPECT_EQ(read(work() + "/run.lock"), "another's");
}

}  // namespace
}  // namespace pretrain
