// Saves that are killed, or whose every file operation fails once.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/files/file_observer.h"
#include "core/checkpoint/checkpoint_reader.h"
#include "core/checkpoint/resume.h"
#include "tests/core/checkpoint/sample_run.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/thread_communicator.h"

namespace pretrain {
namespace {

using testing::run_ranks;
using testing::sample_setup;
using testing::sample_state;
using testing::SampleRun;
using testing::save_sample;
using testing::ScratchFolder;

/// A run with checkpoints of steps 1 and 2; saving step 3 makes retention remove step 1.
class CommitFaultsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    save_sample(sample_setup(base_.path()), 1, 2, {{"valid", 3.0}});
    save_sample(sample_setup(base_.path()), 2, 2, {{"valid", 2.0}});
  }
  static std::vector<std::string> entries(const std::string& run_dir) {
    return Directory::open(run_dir + "/checkpoints").list();
  }
  /// Finds a checkpoint as a new start would; expects it to be whole. Returns its step.
  static std::uint64_t find(const std::string& run_dir) {
    std::uint64_t step = 0;
    run_ranks(1, [&](Communicator& group) {
      const auto found = find_checkpoint(group, run_dir, "auto", VerifyMode::kFull);
      ASSERT_TRUE(found.has_value());
      EXPECT_TRUE(found->rejected.empty()) << found->rejected.front().reason;
      step = CheckpointReader(found->path).state().step;
      SampleRun::make(step, 2).expect_equal(found->path);
    });
    return step;
  }
  ScratchFolder base_;
};

/// In a child process: saves step 3 from two ranks; rank `victim` ends the process before its k-th
/// file operation. Returns false if the save had less operations.
bool save_killed_at(const std::string& run_dir, int victim, int k) {
  const pid_t child = ::fork();
  if (child == 0) {
    const SampleRun run = SampleRun::make(3, 2);
    run_ranks(2, [&](Communicator& group) {
      int seen = 0;
      const ScopedFileObserver observer([&](const FileOperation&) {
        if (group.rank() == victim && seen++ == k) ::_exit(9);
        return 0;
      });
      Checkpointer checkpointer(group, sample_setup(run_dir));
      checkpointer.save(sample_state(3), SampleRun::pieces(run.model, group.rank()),
                        SampleRun::pieces(run.optimizer, group.rank()), {{"valid", 1.0}});
    });
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status) == 9;
}

TEST_F(CommitFaultsTest, AKillAtAnyOperationLeavesTheOldOrTheNewCheckpoint) {
  for (const int victim : {0, 1}) {
    int k = 0;
    int old_ones = 0;
    for (bool killed = true; killed; ++k) {
      SCOPED_TRACE(concat("rank ", victim, " killed at operation ", k));
      const ScratchFolder scratch;
      std::filesystem::copy(base_.path(), scratch.path(), std::filesystem::copy_options::recursive);
      killed = save_killed_at(scratch.path(), victim, k);
      const std::uint64_t step = find(scratch.path());
      EXPECT_TRUE(step == 2 || step == 3);
      EXPECT_TRUE(killed || step == 3);
      old_ones += step == 2;
      // The same command works again and leaves no trace of the kill.
      save_sample(sample_setup(scratch.path()), 4, 2);
      EXPECT_EQ(find(scratch.path()), 4u);
      for (const std::string& entry : entries(scratch.path())) {
        EXPECT_FALSE(entry.starts_with("tmp-") || entry.starts_with(".trash-")) << entry;
      }
    }
    EXPECT_GT(k, victim == 0 ? 40 : 10);
    EXPECT_GT(old_ones, 10);
  }
}

TEST_F(CommitFaultsTest, AFailureOfAnyOperationIsReportedAndHarmless) {
  for (const int error : {ENOSPC, EIO}) {
    bool injected = true;
    for (int k = 0; injected; ++k) {
      const ScratchFolder scratch;
      std::filesystem::copy(base_.path(), scratch.path(), std::filesystem::copy_options::recursive);
      const auto before = entries(scratch.path());
      const SampleRun run = SampleRun::make(3, 1);
      FileOperation failed{"none", ""};
      SaveResult result;
      run_ranks(1, [&](Communicator& group) {
        Checkpointer checkpointer(group, sample_setup(scratch.path()));
        int seen = 0;
        const ScopedFileObserver observer([&](const FileOperation& operation) {
          if (seen++ != k) return 0;
          failed = operation;
          return error;
        });
        result = checkpointer.save(sample_state(3), SampleRun::pieces(run.model, 0),
                                   SampleRun::pieces(run.optimizer, 0), {{"valid", 1.0}});
      });
      injected = failed.path != "";
      SCOPED_TRACE(concat("operation ", k, ": ", failed.name, " ", failed.path, ": ", error));
      if (result.committed) {
        EXPECT_EQ(find(scratch.path()) == 3, true);
        EXPECT_EQ(result.warnings.empty(), !injected);
        continue;
      }
      EXPECT_THAT(result.error, ::testing::HasSubstr(std::strerror(error)));
      EXPECT_THAT(result.error, ::testing::HasSubstr(scratch.path()));
      // Only the last step, the fsync of the parent, fails with the new name in place.
      const bool renamed = failed.path == scratch / "checkpoints" && failed.name[0] == 'f';
      if (!renamed) {
        EXPECT_EQ(entries(scratch.path()), before);
        EXPECT_EQ(find(scratch.path()), 2u);
      }
    }
  }
}

}  // namespace
}  // namespace pretrain
