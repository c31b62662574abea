#include "core/checkpoint/resume.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/digest.h"
#include "core/base/random.h"
#include "core/checkpoint/checkpoint_list.h"
#include "tests/core/checkpoint/sample_run.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/thread_communicator.h"

namespace pretrain {
namespace {

using testing::expect_error;
using testing::read_file;
using testing::run_ranks;
using testing::sample_setup;
using testing::SampleRun;
using testing::save_sample;
using testing::ScratchFolder;
using testing::write_file;

std::optional<FoundCheckpoint> find(const std::string& run_dir, const std::string& resume = "auto",
                                    VerifyMode verify = VerifyMode::kFull, int world = 2) {
  std::optional<FoundCheckpoint> result;
  run_ranks(world, [&](Communicator& group) {
    const auto found = find_checkpoint(group, run_dir, resume, verify);
    if (group.rank() == group.size() - 1) result = found;
  });
  return result;
}

/// A run with whole checkpoints of steps 1 and 2, from two ranks.
class ResumeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    save_sample(sample_setup(run_), 1, 2);
    save_sample(sample_setup(run_), 2, 2, {{"valid", 1.5}});
  }
  std::string path(const std::string& name) { return run_ + "/checkpoints/" + name; }
  /// Expects step 2 to be refused for a reason with this text, and step 1 to be taken instead.
  void expect_fallback(const std::string& reason, VerifyMode verify = VerifyMode::kFull) {
    const auto found = find(run_, "auto", verify);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->path, path("step-00000001"));
    EXPECT_EQ(found->lineage, 1u);
    ASSERT_EQ(found->rejected.size(), 1u) << reason;
    EXPECT_EQ(found->rejected[0].path, path("step-00000002"));
    EXPECT_THAT(found->rejected[0].reason, ::testing::HasSubstr(reason));
    SampleRun::make(1, 2).expect_equal(found->path);
  }
  ScratchFolder scratch_;
  std::string run_ = scratch_.path();
};

TEST_F(ResumeTest, TheModes) {
  EXPECT_EQ(find(run_)->path, path("step-00000002"));
  EXPECT_EQ(find(run_)->lineage, 0u);
  EXPECT_EQ(find(run_, "require")->path, path("step-00000002"));
  expect_error(ExitCode::kCannotCreate, "holds step-00000002 although run.resume is never",
               [&] { find(run_, "never"); });
  const ScratchFolder fresh;
  EXPECT_EQ(find(fresh.path()), std::nullopt);
  EXPECT_EQ(find(fresh.path(), "never"), std::nullopt);
  expect_error(ExitCode::kBadData, "has no checkpoint although run.resume is require",
               [&] { find(fresh.path(), "require"); });
}

TEST_F(ResumeTest, AnExplicitPathIsTakenOrRefused) {
  const auto newest = find(run_, path("step-00000002/"));
  EXPECT_EQ(newest->path, path("step-00000002"));
  EXPECT_EQ(newest->lineage, 0u);
  const auto older = find(run_, path("step-00000001"));
  EXPECT_EQ(older->path, path("step-00000001"));
  EXPECT_EQ(older->lineage, 1u);
  const ScratchFolder fresh;
  EXPECT_EQ(find(fresh.path(), path("step-00000001"))->lineage, 0u);
  write_file(path("step-00000001/tokenizer.json"), "[]\n");
  expect_error(ExitCode::kBadData, "step-00000001/tokenizer.json differs from its digest",
               [&] { find(run_, path("step-00000001")); });
}

TEST_F(ResumeTest, LaterLineageWinsOverHigherStep) {
  save_sample(sample_setup(run_), 2, 1, {}, 1);
  EXPECT_EQ(find(run_)->path, path("step-00000002.l1"));
  EXPECT_EQ(find(run_)->lineage, 1u);
  save_sample(sample_setup(run_), 1, 1, {}, 2);
  EXPECT_EQ(find(run_)->path, path("step-00000001.l2"));
}

TEST_F(ResumeTest, LatestDecidesNothing) {
  write_file(path("latest"), "step-00000001\n");
  EXPECT_EQ(find(run_)->path, path("step-00000002"));
  std::filesystem::remove(path("latest"));
  ASSERT_EQ(::mkfifo(path("latest").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("/etc/passwd", path("best.txt").c_str()), 0);
  EXPECT_EQ(find(run_)->path, path("step-00000002"));
  EXPECT_FALSE(list_checkpoints(run_, VerifyMode::kSizes)[0].is_latest);
}

TEST_F(ResumeTest, EveryTruncatedMissingOrFlippedFileIsNamed) {
  for (const std::string& name : Directory::open(path("step-00000002")).list()) {
    SCOPED_TRACE(name);
    const std::string file = path("step-00000002/") + name;
    const std::string good = read_file(file);
    for (const std::size_t size : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
      write_file(file, good.substr(0, size));
      expect_fallback(name, VerifyMode::kSizes);
    }
    write_file(file, good + "x");
    expect_fallback(name, VerifyMode::kSizes);
    std::filesystem::remove(file);
    expect_fallback(name, VerifyMode::kSizes);
    for (const std::size_t at : {std::size_t{0}, good.size() / 3, good.size() - 1}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 4);
      write_file(file, bad);
      // Whichever of the two is damaged, it is the manifest that is not proved.
      expect_fallback(name == "manifest.sha256" ? "manifest" : name);
    }
    write_file(file, good);
  }
  EXPECT_TRUE(find(run_)->rejected.empty());
}

TEST_F(ResumeTest, TheWarningSaysHowMuchIsMissing) {
  const std::string file = path("step-00000002/optim-00001-of-00002.safetensors");
  const std::string good = read_file(file);
  write_file(file, good + std::string(4096, 'x'));
  const auto found = find(run_);
  EXPECT_EQ(rejection_warning(found->rejected[0], *found),
            "step-00000002 skipped: optim-00001-of-00002.safetensors is 4,096 bytes too long. "
            "Resuming from step-00000001");
  write_file(file, good.substr(0, good.size() - 7));
  expect_fallback("optim-00001-of-00002.safetensors is 7 bytes short");
}

TEST_F(ResumeTest, ForeignAndSwappedShardsAreRefusedEvenWithoutDigests) {
  const std::string shard = path("step-00000002/model-00000-of-00002.safetensors");
  const std::string good = read_file(shard);
  const std::string other = read_file(path("step-00000002/model-00001-of-00002.safetensors"));
  write_file(shard, other);
  expect_fallback("model-00000-of-00002.safetensors", VerifyMode::kSizes);
  // Of the same size, with a sound header and a tensor of another name.
  std::string renamed = good;
  renamed[renamed.find("layer.0") + 6] = '9';
  write_file(shard, renamed);
  expect_fallback("model-00000-of-00002.safetensors has no tensor layer.0", VerifyMode::kSizes);
  write_file(shard, good);
  std::filesystem::rename(path("step-00000001"), path("step-00000003"));
  const auto found = find(run_);
  EXPECT_THAT(found->rejected[0].reason, ::testing::HasSubstr("state.json is of step 1"));
}

TEST_F(ResumeTest, EditedManifestAndNewerVersionsAreRefused) {
  const std::string manifest = path("step-00000002/manifest.json");
  const std::string good = read_file(manifest);
  const auto edit = [&](const std::string& from, const std::string& to, bool sign) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    write_file(manifest, text);
    if (sign) {
      const Manifest forged = partial_manifest_from_json(text, "forged");
      write_file(path("step-00000002/manifest.sha256"), manifest_checksums(forged, text));
    }
  };
  edit("\"tokens\": 8192", "\"tokens\": 8193", false);
  expect_fallback("manifest.json differs from manifest.sha256");
  edit("\"tokens\": 8192", "\"tokens\": 8193", true);
  EXPECT_TRUE(find(run_)->rejected.empty());  // digests are against accidents, not against authors
  edit("\"step\": 2", "\"step\": 3", true);
  expect_fallback("state.json is of step 2, manifest.json of step 3");
  const std::string newer = [&] {
    std::string text = good;
    return text.replace(text.find("\"version\": 1"), 12, "\"version\": 2");
  }();
  write_file(manifest, newer);
  write_file(path("step-00000002/manifest.sha256"), concat(sha256_hex(newer), "  manifest.json\n"));
  expect_fallback("manifest.json: version 2 is newer than 1");
}

TEST_F(ResumeTest, NoneValidIsAnErrorNeverAFreshStart) {
  write_file(path("step-00000002/state.json"), "");
  std::filesystem::remove(path("step-00000001/manifest.json"));
  expect_error(ExitCode::kBadData, "none of 2 checkpoints is valid. step-00000002: state.json is",
               [&] { find(run_); });
  // A directory that was never committed, or a planted link, is not passed over silently either.
  std::filesystem::remove_all(path("step-00000001"));
  std::filesystem::remove_all(path("step-00000002"));
  ASSERT_EQ(::symlink("/etc", path("step-00000004").c_str()), 0);
  expect_error(ExitCode::kBadData, "none of 1 checkpoints is valid", [&] { find(run_); });
}

TEST_F(ResumeTest, OneFlippedBitAnywhereIsFound) {
  const std::string base = path("step-00000002/");
  const auto names = Directory::open(base).list();
  RandomStream random(3, RandomPurpose::kTest, 13);
  for (int i = 0; i < 500; ++i) {
    const std::string file = base + names[random.below(names.size())];
    const std::string good = read_file(file);
    std::string bad = good;
    const std::size_t at = random.below(bad.size());
    bad[at] = static_cast<char>(bad[at] ^ (1 << random.below(8)));
    write_file(file, bad);
    const auto found = find(run_, "auto", VerifyMode::kFull, 1);
    EXPECT_EQ(found->path, path("step-00000001")) << file << " byte " << at;
    write_file(file, good);
  }
}

TEST_F(ResumeTest, ListTellsWhatIsThere) {
  write_file(path("step-00000001/tokenizer.json"), "");
  const auto entries = list_checkpoints(run_, VerifyMode::kFull);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "step-00000002");
  EXPECT_TRUE(entries[0].valid && entries[0].is_latest && entries[0].is_best);
  EXPECT_EQ(entries[0].tokens, 8192u);
  EXPECT_EQ(entries[0].world, 2);
  EXPECT_GT(entries[0].bytes, 1000u);
  EXPECT_FALSE(entries[1].valid);
  EXPECT_THAT(entries[1].reason, ::testing::HasSubstr("tokenizer.json is 3 bytes short"));
  const std::string text = to_text(entries);
  EXPECT_THAT(text, ::testing::HasSubstr("step-00000002       ok"));
  EXPECT_THAT(text, ::testing::HasSubstr("valid 1.5  latest  best"));
  EXPECT_THAT(text, ::testing::HasSubstr("step-00000001       damaged: "));
  const ScratchFolder fresh;
  expect_error(ExitCode::kBadData, "checkpoints",
               [&] { list_checkpoints(fresh.path(), VerifyMode::kFull); });
}

}  // namespace
}  // namespace pretrain
