// A power cut after every file operation of a save, with what was not synced lost, zeroed or kept.
#include <set>

#include "core/base/files/file_observer.h"
#include "core/checkpoint/checkpoint_reader.h"
#include "core/checkpoint/resume.h"
#include "tests/core/checkpoint/disk_model.h"
#include "tests/core/checkpoint/sample_run.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/thread_communicator.h"

namespace pretrain {
namespace {

using testing::DiskModel;
using testing::RecordedOperation;
using testing::run_ranks;
using testing::sample_setup;
using testing::sample_state;
using testing::SampleRun;
using testing::save_sample;
using testing::ScratchFolder;
using testing::write_file;

class PowerLossTest : public ::testing::Test {
 protected:
  /// Saves steps 1 and 2, keeps a copy, and records the save of step 3.
  void SetUp() override {
    save_sample(sample_setup(run_.path()), 1);
    save_sample(sample_setup(run_.path()), 2);
    std::filesystem::copy(run_.path(), base_.path(), std::filesystem::copy_options::recursive);
    const std::string top = run_ / "checkpoints";
    const auto relative = [&](const std::string& path) {
      return path.size() > top.size() ? path.substr(top.size() + 1) : std::string();
    };
    run_ranks(1, [&](Communicator& group) {
      const SampleRun run = SampleRun::make(3, 1);
      Checkpointer checkpointer(group, sample_setup(run_.path()));
      const ScopedFileObserver observer([&](const FileOperation& operation) {
        journal_.push_back({operation.name, relative(operation.path), relative(operation.target),
                            operation.offset,
                            std::string(reinterpret_cast<const char*>(operation.data.data()),
                                        operation.data.size())});
        return 0;
      });
      checkpointer.save(sample_state(3), SampleRun::pieces(run.model, 0),
                        SampleRun::pieces(run.optimizer, 0), {});
    });
    for (std::size_t i = 0; i < journal_.size(); ++i) {
      if (journal_[i].name == "rename_new" && journal_[i].target == "step-00000003") renamed_ = i;
    }
    // The operation after the rename is the fsync that commits it.
    ASSERT_EQ(journal_[renamed_ + 1].name, "fsync");
    ASSERT_EQ(journal_[renamed_ + 1].path, "");
  }

  /// True if a start after the cut finds a whole checkpoint, and step 3 once it was committed.
  static bool recovers(const DiskModel& disk, const DiskModel::Cut& cut, bool committed) {
    const ScratchFolder scratch;
    disk.write_out(scratch / "checkpoints", cut);
    bool good = false;
    run_ranks(1, [&](Communicator& group) {
      try {
        const auto found = find_checkpoint(group, scratch.path(), "auto", VerifyMode::kFull);
        if (!found || !found->rejected.empty()) return;
        const std::uint64_t step = CheckpointReader(found->path).state().step;
        good = step == 3 || (step == 2 && !committed);
        SampleRun::make(step, 1).expect_equal(found->path);
      } catch (const Error&) {
        // none is valid
      }
    });
    return good;
  }

  /// How many (prefix, cut) pairs are not recovered if operation `dropped` has no effect.
  int count_bad(std::size_t dropped, std::size_t first, std::size_t last) const {
    using Data = DiskModel::Cut::Data;
    DiskModel disk(base_ / "checkpoints");
    int bad = 0;
    for (std::size_t i = 0; i < last; ++i) {
      if (i != dropped) disk.replay(journal_[i]);
      if (i < first) continue;
      for (const bool top : {false, true}) {
        for (const bool inner : {false, true}) {
          for (const Data data : {Data::kLost, Data::kZeroed, Data::kWritten}) {
            bad += !recovers(disk, {top, inner, data}, i > renamed_);
          }
        }
      }
    }
    return bad;
  }

  ScratchFolder run_;
  ScratchFolder base_;
  std::vector<RecordedOperation> journal_;
  std::size_t renamed_ = 0;
};

TEST_F(PowerLossTest, OldOrNewIsThereAfterEveryOperation) {
  EXPECT_GT(journal_.size(), 40u);
  EXPECT_EQ(count_bad(journal_.size(), 0, journal_.size()), 0);
}

TEST_F(PowerLossTest, EachSyncOfTheCommitIsNeeded) {
  // Every file once, the directory before the rename, its parent after it.
  std::set<std::size_t> needed = {renamed_ + 1};
  for (std::size_t i = 0; i < renamed_; ++i) {
    const bool is_file = journal_[i].path.find('/') != std::string::npos;
    if (journal_[i].name == "fsync" && (is_file || i + 1 == renamed_)) needed.insert(i);
  }
  EXPECT_EQ(needed.size(), 9u);
  for (const std::size_t i : needed) {
    EXPECT_GT(count_bad(i, renamed_, renamed_ + 2), 0) << journal_[i].path;
  }
}

}  // namespace
}  // namespace pretrain
