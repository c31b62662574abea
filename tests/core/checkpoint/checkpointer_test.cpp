#include "core/checkpoint/checkpointer.h"

#include <cerrno>
#include <limits>

#include "core/base/digest.h"
#include "core/base/files/file_observer.h"
#include "core/base/random.h"
#include "core/checkpoint/checkpoint_reader.h"
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
using testing::sample_state;
using testing::SampleRun;
using testing::SampleTensor;
using testing::save_sample;
using testing::ScratchFolder;

class CheckpointerTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) { return scratch_ / ("checkpoints/" + name); }
  std::vector<std::string> entries() { return Directory::open(scratch_ / "checkpoints").list(); }
  ScratchFolder scratch_;
  CheckpointerSetup setup_ = sample_setup(scratch_.path());
};

TEST_F(CheckpointerTest, AnyRangeReadsBackFromAnySplit) {
  for (int seed = 0; seed < 40; ++seed) {
    const int world = 1 + seed % 4;
    const ScratchFolder scratch;
    const SampleRun run = SampleRun::make(static_cast<std::uint64_t>(seed), world, true);
    run_ranks(world, [&](Communicator& group) {
      Checkpointer checkpointer(group, sample_setup(scratch.path()));
      const SaveResult result =
          checkpointer.save(sample_state(7), SampleRun::pieces(run.model, group.rank()),
                            SampleRun::pieces(run.optimizer, group.rank()), {});
      EXPECT_TRUE(result.committed) << result.error;
    });
    const std::string saved = scratch / "checkpoints/step-00000007";
    run.expect_equal(saved);
    CheckpointReader reader(saved);
    EXPECT_NO_THROW(reader.verify(VerifyMode::kFull));
    RandomStream random(static_cast<std::uint64_t>(seed), RandomPurpose::kTest, 2);
    for (int i = 0; i < 50; ++i) {
      const auto all = run.all();
      const SampleTensor& tensor = *all[random.below(all.size())];
      const std::uint64_t elements = element_count(tensor.shape, "");
      const std::uint64_t begin = random.below(elements + 1);
      const std::uint64_t end = begin + random.below(elements - begin + 1);
      const std::uint64_t width = safetensors_dtype_bytes(tensor.dtype);
      std::string bytes((end - begin) * width, '\0');
      reader.read(tensor.name, tensor.dtype, begin, end, std::as_writable_bytes(std::span(bytes)));
      EXPECT_EQ(bytes, tensor.bytes.substr(begin * width, (end - begin) * width));
    }
  }
}

TEST_F(CheckpointerTest, ATensorOfAnotherTypeIsNotRead) {
  save_sample(setup_, 3);
  CheckpointReader reader(path("step-00000003"));
  std::string bytes(8 * 25, '\0');
  const auto out = std::as_writable_bytes(std::span(bytes));
  expect_error(ExitCode::kBadData, "tensor layer.0: expected type F64, found F32",
               [&] { reader.read("layer.0", "F64", 0, 25, out); });
  expect_error(ExitCode::kInternal, "200 bytes for 25 elements of F32",
               [&] { reader.read("layer.0", "F32", 0, 25, out); });
}

TEST_F(CheckpointerTest, WritesTheFilesOfTheFormat) {
  const SaveResult result = save_sample(setup_, 1000, 2, {{"valid", 3.5}});
  EXPECT_TRUE(result.committed);
  EXPECT_EQ(result.name, "step-00001000");
  EXPECT_EQ(entries(), (std::vector<std::string>{"best", "latest", "step-00001000"}));
  EXPECT_EQ(read_file(path("latest")), "step-00001000\n");
  EXPECT_EQ(read_file(path("best")), "step-00001000\n");
  EXPECT_EQ(Directory::open(path("step-00001000")).list(),
            (std::vector<std::string>{
                "config.resolved.yaml", "manifest.json", "manifest.sha256",
                "model-00000-of-00002.safetensors", "model-00001-of-00002.safetensors",
                "optim-00000-of-00002.safetensors", "optim-00001-of-00002.safetensors",
                "state.json", "tokenizer.json"}));
  EXPECT_EQ(std::system(concat("cd ", path("step-00001000"),
                               " && sha256sum -c --status --strict manifest.sha256")
                            .c_str()),
            0);
  const CheckpointReader reader(path("step-00001000"));
  EXPECT_EQ(reader.state(), sample_state(1000));
  EXPECT_EQ(reader.config_yaml(), setup_.identity.config_yaml);
  EXPECT_EQ(reader.tokenizer_json(), setup_.identity.tokenizer_json);
  const Manifest& manifest = reader.manifest();
  EXPECT_EQ(manifest.step, 1000u);
  EXPECT_EQ(manifest.tokens, 4096000u);
  EXPECT_EQ(manifest.world, 2);
  EXPECT_EQ(manifest.mesh, setup_.identity.mesh);
  EXPECT_EQ(manifest.code, setup_.identity.code);
  EXPECT_EQ(manifest.config_sha256, sha256_hex(setup_.identity.config_yaml));
  EXPECT_EQ(manifest.identity_sha256, setup_.identity.identity_sha256);
  EXPECT_EQ(manifest.tokenizer_sha256, setup_.identity.tokenizer_sha256);
  EXPECT_EQ(manifest.corpora, setup_.identity.corpora);
  EXPECT_EQ(manifest.eval, (std::map<std::string, double>{{"valid", 3.5}}));
}

TEST_F(CheckpointerTest, TheSameStepIsSavedOnce) {
  run_ranks(2, [&](Communicator& group) {
    const SampleRun run = SampleRun::make(5, 2);
    const auto model = SampleRun::pieces(run.model, group.rank());
    const auto optimizer = SampleRun::pieces(run.optimizer, group.rank());
    Checkpointer checkpointer(group, setup_);
    EXPECT_TRUE(checkpointer.save(sample_state(5), model, optimizer, {}).committed);
    EXPECT_TRUE(checkpointer.has(sample_state(5)));
    EXPECT_FALSE(checkpointer.has(sample_state(6)));
    EXPECT_FALSE(checkpointer.has(sample_state(5, 1)));
    Checkpointer resumed(group, setup_);
    EXPECT_FALSE(resumed.has(sample_state(5)));
    resumed.resumed_from(sample_state(5));
    EXPECT_TRUE(resumed.has(sample_state(5)));
    // A stranger's directory under our name is never replaced.
    Checkpointer other(group, setup_);
    expect_error(ExitCode::kCannotCreate, "step-00000005: cannot rename to it: File exists",
                 [&] { other.save(sample_state(5), model, optimizer, {}, true); });
  });
  SampleRun::make(5, 2).expect_equal(path("step-00000005"));
  EXPECT_EQ(entries(), (std::vector<std::string>{"latest", "step-00000005"}));
}

TEST_F(CheckpointerTest, RetentionKeepsNewestBestAndMultiples) {
  setup_.retention.keep_every_steps = 4;
  const std::map<std::uint64_t, double> losses = {{1, 5.0}, {2, 1.0}, {3, 4.0}, {4, 3.0},
                                                  {5, 3.5}, {6, 2.0}, {7, 2.5}};
  for (const auto& [step, loss] : losses) save_sample(setup_, step, 1, {{"valid", loss}});
  EXPECT_EQ(entries(), (std::vector<std::string>{"best", "latest", "step-00000002", "step-00000004",
                                                 "step-00000006", "step-00000007"}));
  EXPECT_EQ(read_file(path("best")), "step-00000002\n");
  EXPECT_EQ(read_file(path("latest")), "step-00000007\n");
}

TEST_F(CheckpointerTest, RetentionLeavesAloneWhatIsNotProvedOurs) {
  save_sample(setup_, 1);
  save_sample(setup_, 2);
  testing::write_file(path("step-00000001/notes.txt"), "mine");
  testing::write_file(path("step-00000002/state.json"), "damaged");
  std::filesystem::create_directories(path("my-backup"));
  std::filesystem::create_directories(path("step-3"));
  SaveResult last;
  for (std::uint64_t step = 4; step < 8; ++step) last = save_sample(setup_, step);
  EXPECT_EQ(entries(),
            (std::vector<std::string>{"latest", "my-backup", "step-00000001", "step-00000002",
                                      "step-00000006", "step-00000007", "step-3"}));
  EXPECT_EQ(read_file(path("step-00000001/notes.txt")), "mine");
  EXPECT_EQ(last.removed, std::vector<std::string>{"step-00000005"});
  ASSERT_EQ(last.warnings.size(), 1u);
  EXPECT_THAT(last.warnings[0], ::testing::HasSubstr("step-00000001 stays"));
}

TEST_F(CheckpointerTest, TooLittleSpaceIsToldBeforeAnythingIsWritten) {
  save_sample(setup_, 1);
  setup_.free_space = 1e12;
  run_ranks(2, [&](Communicator& group) {
    const SampleRun run = SampleRun::make(2, 2);
    const auto model = SampleRun::pieces(run.model, group.rank());
    Checkpointer checkpointer(group, setup_);
    expect_error(ExitCode::kCannotCreate, "iB are free. Free space or lower checkpoint.keep_last",
                 [&] { checkpointer.check_space(model, {}); });
    // Two failures are results, the third in a row ends the run; a final one ends it at once.
    for (int i = 0; i < 2; ++i) {
      const SaveResult result = checkpointer.save(sample_state(2), model, {}, {});
      EXPECT_FALSE(result.committed);
      EXPECT_THAT(result.error, ::testing::HasSubstr("checkpoints: a save needs "));
    }
    expect_error(ExitCode::kCannotCreate, "3 saves in a row failed: ", [&] {
      checkpointer.save(sample_state(2), model, {}, {});
    });
    Checkpointer another(group, setup_);
    expect_error(ExitCode::kCannotCreate, "a save needs ",
                 [&] { another.save(sample_state(2), model, {}, {}, true); });
  });
  EXPECT_EQ(entries(), (std::vector<std::string>{"latest", "step-00000001"}));
}

TEST_F(CheckpointerTest, WarnsIfNotAllThatIsKeptFits) {
  run_ranks(1, [&](Communicator& group) {
    const SampleRun run = SampleRun::make(2, 1);
    const auto model = SampleRun::pieces(run.model, 0);
    EXPECT_EQ(Checkpointer(group, setup_).check_space(model, {}), std::nullopt);
    setup_.retention.keep_last = std::numeric_limits<std::int32_t>::max();
    const auto warning = Checkpointer(group, setup_).check_space(model, {});
    ASSERT_TRUE(warning.has_value());
    EXPECT_THAT(*warning, ::testing::HasSubstr("2147483649 checkpoints need "));
  });
}

TEST_F(CheckpointerTest, OneRanksFullDiskIsEveryRanksFailure) {
  save_sample(setup_, 1);
  const SampleRun run = SampleRun::make(2, 3);
  run_ranks(3, [&](Communicator& group) {
    Checkpointer checkpointer(group, setup_);
    const ScopedFileObserver observer([&](const FileOperation& operation) {
      return group.rank() == 1 && std::string(operation.name) == "fallocate" ? ENOSPC : 0;
    });
    const SaveResult result =
        checkpointer.save(sample_state(2), SampleRun::pieces(run.model, group.rank()),
                          SampleRun::pieces(run.optimizer, group.rank()), {});
    EXPECT_FALSE(result.committed);
    EXPECT_THAT(result.error, ::testing::HasSubstr("rank 1: "));
    EXPECT_THAT(result.error,
                ::testing::HasSubstr("model-00001-of-00003.safetensors: cannot reserve"));
  });
  EXPECT_EQ(entries(), (std::vector<std::string>{"latest", "step-00000001"}));
}

TEST_F(CheckpointerTest, ALostLockPublishesNothing) {
  setup_.before_publish = [] { fail(ExitCode::kLocked, "the lock was lost"); };
  expect_error(ExitCode::kLocked, "the lock was lost", [&] { save_sample(setup_, 1); });
  EXPECT_TRUE(entries().empty());
}

TEST_F(CheckpointerTest, PiecesThatDoNotTileAreABug) {
  const SampleRun run = SampleRun::make(1, 2);
  run_ranks(2, [&](Communicator& group) {
    Checkpointer checkpointer(group, setup_);
    const auto mine = SampleRun::pieces(run.model, group.rank());
    const auto zeros = SampleRun::pieces(run.model, 0);
    expect_error(ExitCode::kInternal, "layer.",
                 [&] { checkpointer.save(sample_state(1), zeros, {}, {}); });
    expect_error(ExitCode::kInternal, "layer.",
                 [&] { checkpointer.save(sample_state(1), mine, mine, {}); });
  });
  EXPECT_TRUE(entries().empty());
}

TEST_F(CheckpointerTest, StartRemovesLeftovers) {
  std::filesystem::create_directories(path("tmp-step-00000009-0123456789abcdef"));
  testing::write_file(path("tmp-step-00000009-0123456789abcdef/state.json"), "half");
  std::filesystem::create_directories(path(".trash-step-00000001-0123456789abcdef"));
  save_sample(setup_, 1);
  EXPECT_EQ(entries(), (std::vector<std::string>{"latest", "step-00000001"}));
}

TEST_F(CheckpointerTest, DirectoryInThePlaceOfLatestOnlyWarns) {
  std::filesystem::create_directories(path("latest/x"));
  const SaveResult result = save_sample(setup_, 1);
  EXPECT_TRUE(result.committed);
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_THAT(result.warnings[0], ::testing::HasSubstr("latest"));
  EXPECT_EQ(entries(), (std::vector<std::string>{"latest", "step-00000001"}));
}

}  // namespace
}  // namespace pretrain
