#include "core/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>

#include "core/checkpoint/resume.h"
#include "core/run/snapshot.h"
#include "parallel/flat_reducer.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/thread_communicator.h"

namespace pretrain {
namespace {

constexpr std::int64_t kOrdinary = 40;
constexpr std::int64_t kVocab = testing::kFirstOrdinary + kOrdinary;
constexpr std::int64_t kLength = 12;

// Rows that can be learned: each counts up from its own number.
class CountingRows : public Dataset {
 public:
  explicit CountingRows(const RowShape& shape) : width_(static_cast<std::size_t>(shape.tokens)) {}
  std::uint64_t size() const override { return 100; }
  std::size_t row_tokens() const override { return width_; }
  void read(std::uint64_t index, std::span<std::int64_t> out) const override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = testing::kFirstOrdinary + static_cast<std::int64_t>((index + i) % kOrdinary);
    }
  }
  std::vector<TokenPlace> places(std::uint64_t) const override { return {}; }

 private:
  std::size_t width_;
};

struct RunSetup {
  std::string objective = "causal_lm";
  std::string objective_options;
  BatchLayout layout{12, 1, 1};
  std::int64_t steps = 6;
  std::string run_dir;
  bool resume = false;
  double learning_rate = 1e-2;
  std::function<void(FlatBuffer&, std::int64_t step)> disturb = [](FlatBuffer&, std::int64_t) {};
  std::function<StopRequest(std::int64_t calls)> stop = [](std::int64_t) {
    return StopRequest::kNone;
  };
};

struct Outcome {
  ExitCode code = ExitCode::kOk;
  TrainingState state;
  at::Tensor values;
  at::Tensor first_gradient;
};

RunIdentity identity() {
  RunIdentity identity;
  identity.config_yaml = "test: true\n";
  identity.identity_sha256 = std::string(64, '0');
  identity.tokenizer_json = "{}";
  identity.tokenizer_sha256 = std::string(64, '1');
  return identity;
}

// One rank of a whole run: what build_trainer does, with fakes around it.
Outcome train(const RunSetup& setup, Communicator& control) {
  testing::TinySetup tiny;
  tiny.objective = setup.objective;
  tiny.vocab_size = kVocab;
  tiny.length = kLength;
  tiny.objective_options = setup.objective_options;
  const auto objective = testing::make_tiny(tiny);
  FlatBuffer parameters(*objective);
  const auto optimizer = optimizers().create("adamw", OptimizerContext{&parameters, 0.1});
  FlatReducer reducer(control);
  const CountingRows dataset(objective->row_shape());
  const SamplePlan samples(3, true, {{dataset.size()}}, {{0, {1}}});
  const BatchSchedule batches(setup.layout.sequences());
  DataLoader loader(BatchReader({&dataset}, samples, *objective), setup.layout, batches,
                    control.rank(), {2, 1});
  Evaluator evaluator(*objective, control, {}, 1);
  TrainingState state;
  std::optional<FoundCheckpoint> found;
  if (setup.resume) {
    found = find_checkpoint(control, setup.run_dir, "require", VerifyMode::kFull);
    CheckpointReader reader(found->path);
    load_snapshot(reader, parameters, *optimizer);
    state = reader.state();
  }
  RecorderSetup recording;
  recording.run_dir = setup.run_dir;
  recording.host = "test";
  recording.terms = objective->terms();
  recording.logging.console = "none";
  recording.logging.tensorboard = false;
  RunRecorder recorder(recording, control);
  CheckpointerSetup saving;
  saving.run_dir = setup.run_dir;
  saving.identity = identity();
  Checkpointer checkpointer(control, saving);
  if (setup.resume) checkpointer.resumed_from(state);
  TrainingPlan plan;
  plan.steps = setup.steps;
  plan.batches = batches;
  plan.schedule = {Schedule::Shape::kCosine, setup.learning_rate, 0.1, 2, 0, 20};
  plan.clip_norm = 1.0;
  Outcome outcome;
  std::int64_t calls = 0;
  const auto dump = [&](const std::vector<Batch>&, std::int64_t step) {
    if (step == 1) outcome.first_gradient = parameters.gradients().clone();
    setup.disturb(parameters, step);
  };
  Trainer trainer(
      {*objective, parameters, *optimizer, reducer, control, loader, evaluator, checkpointer,
       recorder, [&] { return setup.stop(++calls); }, [](std::int64_t) {}, dump},
      plan, state);
  outcome.code = trainer.run();
  outcome.state = trainer.state();
  outcome.values = parameters.values().clone();
  return outcome;
}

Outcome train_alone(const RunSetup& setup) {
  Outcome outcome;
  testing::run_ranks(1, [&](Communicator& control) { outcome = train(setup, control); });
  return outcome;
}

double relative(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

class SplitTest : public ::testing::TestWithParam<std::string> {};

// The gradient of a global batch is one thing, however the batch is split. Every objective.
TEST_P(SplitTest, AnySplitGivesTheSameGradientAndWeights) {
  at::set_num_threads(1);
  const testing::ScratchFolder folder;
  RunSetup setup;
  setup.objective = GetParam();
  setup.run_dir = folder / "whole";
  std::filesystem::create_directories(setup.run_dir);
  const Outcome whole = train_alone(setup);
  int split = 0;
  for (const BatchLayout& layout :
       {BatchLayout{1, 1, 12}, BatchLayout{3, 2, 2}, BatchLayout{4, 3, 1}, BatchLayout{1, 4, 3}}) {
    setup.layout = layout;
    setup.run_dir = folder / std::to_string(split++);
    std::filesystem::create_directories(setup.run_dir);
    Outcome parts;
    testing::run_ranks(static_cast<int>(layout.ranks), [&](Communicator& control) {
      const Outcome own = train(setup, control);
      if (control.rank() == 0) parts = own;
    });
    EXPECT_LT(relative(parts.first_gradient, whole.first_gradient), 1e-5) << split;
    EXPECT_LT(relative(parts.values, whole.values), 1e-4) << split;
    EXPECT_EQ(parts.state.targets, whole.state.targets);
    EXPECT_EQ(parts.state.samples, 72u);
  }
}

INSTANTIATE_TEST_SUITE_P(Objectives, SplitTest, ::testing::ValuesIn(objectives().names()));

// What the last line of metrics.jsonl says.
double reported_loss(const std::string& run_dir) {
  const std::string text = testing::read_file(run_dir + "/metrics.jsonl"), key = "\"loss\":";
  return std::stod(text.substr(text.rfind(key) + key.size()));
}

// However few the samples of a step are: a part that gets none takes nothing from the others.
TEST(Trainer, AMixtureOfEqualPartsTrainsLikeOne) {
  at::set_num_threads(1);
  const testing::ScratchFolder folder;
  RunSetup setup;
  setup.layout = {1, 1, 1};
  setup.run_dir = folder / "plain";
  std::filesystem::create_directories(setup.run_dir);
  const Outcome plain = train_alone(setup);
  setup.objective = "mixture";
  setup.objective_options = "parts: [{name: causal_lm, weight: 9}, {name: causal_lm, label: b}]";
  setup.run_dir = folder / "mixed";
  std::filesystem::create_directories(setup.run_dir);
  const Outcome mixed = train_alone(setup);
  EXPECT_LT(relative(mixed.first_gradient, plain.first_gradient), 1e-6);
  EXPECT_LT(relative(mixed.values, plain.values), 1e-5);
  EXPECT_EQ(mixed.state.targets, plain.state.targets);
  EXPECT_NEAR(reported_loss(folder / "mixed") / reported_loss(folder / "plain"), 1, 1e-5);
}

TEST(Trainer, ResumedRunEqualsAnUnbrokenOneBitForBit) {
  const testing::ScratchFolder folder;
  RunSetup setup;
  setup.run_dir = folder / "unbroken";
  std::filesystem::create_directories(setup.run_dir);
  setup.steps = 8;
  const Outcome unbroken = train_alone(setup);
  for (std::int64_t stop_after : {1, 3, 7}) {
    setup.run_dir = folder / std::to_string(stop_after);
    std::filesystem::create_directories(setup.run_dir);
    setup.stop = [&](std::int64_t calls) {
      return calls >= stop_after ? StopRequest::kPreempt : StopRequest::kNone;
    };
    const Outcome stopped = train_alone(setup);
    EXPECT_EQ(stopped.code, ExitCode::kStopped);
    EXPECT_EQ(stopped.state.step, static_cast<std::uint64_t>(stop_after));
    setup.stop = [](std::int64_t) { return StopRequest::kNone; };
    setup.resume = true;
    const Outcome resumed = train_alone(setup);
    setup.resume = false;
    EXPECT_EQ(resumed.code, ExitCode::kOk);
    EXPECT_TRUE(at::equal(resumed.values, unbroken.values)) << "stopped after " << stop_after;
    EXPECT_EQ(resumed.state.flops, unbroken.state.flops);
    EXPECT_EQ(resumed.state.tokens, unbroken.state.tokens);
  }
}

TEST(Trainer, AStepThatIsNotFiniteChangesNoWeight) {
  const testing::ScratchFolder folder;
  RunSetup setup;
  setup.run_dir = folder.path();
  setup.steps = 4;
  at::Tensor before, after;
  setup.disturb = [&](FlatBuffer& parameters, std::int64_t step) {
    if (step == 2) {
      before = parameters.values().clone();
      parameters.gradients()[5] = std::numeric_limits<float>::infinity();
    }
    if (step == 3) after = parameters.values().clone();
  };
  const Outcome outcome = train_alone(setup);
  EXPECT_TRUE(at::equal(before, after));
  EXPECT_EQ(outcome.state.skipped, 1u);
  EXPECT_EQ(outcome.state.consecutive_skips, 0u);
  EXPECT_EQ(outcome.state.step, 4u);
}

TEST(Trainer, TooManyOfThemEndTheRun) {
  const testing::ScratchFolder folder;
  RunSetup setup;
  setup.run_dir = folder.path();
  setup.steps = 20;
  setup.disturb = [](FlatBuffer& parameters, std::int64_t) {
    parameters.gradients()[0] = std::nanf("");
  };
  testing::expect_error(ExitCode::kNumerics, "5 steps in a row", [&] { train_alone(setup); });
}

TEST(Trainer, WeightsThatAreNotFiniteAreNeverSaved) {
  const testing::ScratchFolder folder;
  RunSetup setup;
  setup.run_dir = folder.path();
  setup.steps = 3;
  setup.disturb = [](FlatBuffer& parameters, std::int64_t step) {
    if (step == 3) parameters.values()[7] = std::nanf("");
  };
  testing::expect_error(ExitCode::kNumerics, "holds NaN or infinity, so it is not saved",
                        [&] { train_alone(setup); });
  EXPECT_TRUE(std::filesystem::is_empty(setup.run_dir + "/checkpoints"));
}

TEST(Trainer, OneRanksSignalStopsAll) {
  const testing::ScratchFolder folder;
  RunSetup setup;
  setup.run_dir = folder.path();
  setup.layout = {4, 3, 1};
  std::mutex mutex;
  std::vector<std::uint64_t> steps;
  testing::run_ranks(3, [&](Communicator& control) {
    RunSetup own = setup;
    own.stop = [&](std::int64_t calls) {
      return control.rank() == 1 && calls == 2 ? StopRequest::kPreempt : StopRequest::kNone;
    };
    const Outcome outcome = train(own, control);
    EXPECT_EQ(outcome.code, ExitCode::kStopped);
    const std::lock_guard lock(mutex);
    steps.push_back(outcome.state.step);
  });
  EXPECT_EQ(steps, (std::vector<std::uint64_t>{2, 2, 2}));
}

// One file, one registration line (tests/objectives/toy_objective.cpp): it trains like any other.
TEST(Trainer, AToyObjectiveLearns) {
  const testing::ScratchFolder folder;
  RunSetup setup;
  setup.objective = "skip_one_lm";
  setup.run_dir = folder.path();
  setup.steps = 20;
  const Outcome outcome = train_alone(setup);
  EXPECT_EQ(outcome.code, ExitCode::kOk);
  EXPECT_EQ(outcome.state.targets, 20u * 12 * (kLength - 1));
}

}  // namespace
}  // namespace pretrain
