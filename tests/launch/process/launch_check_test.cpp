#include "launch/process/launch_check.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/testing/thread_communicator.h"

namespace pretrain {
namespace {

using testing::run_ranks;
using Variables = std::map<std::string, std::string>;

LaunchFacts facts_of(const Variables& variables) {
  return LaunchFacts::read([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found != variables.end() ? found->second.c_str() : nullptr;
  });
}

// The message of the kLauncher error, empty if there is none.
std::string refusal(const Variables& variables, int world, int rank = 0) {
  try {
    const LaunchFacts facts = facts_of(variables);
    check_facts(facts, world, rank);
    check_not_alone(facts, world);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kLauncher);
    return error.what();
  }
  return "";
}

TEST(LaunchFactsTest, KnowsWhoStartsMpi) {
  EXPECT_FALSE(facts_of({}).launched());
  EXPECT_FALSE(facts_of({{"SLURM_NTASKS", "8"}}).launched());
  EXPECT_TRUE(facts_of({{"OMPI_COMM_WORLD_SIZE", "1"}}).launched());
  EXPECT_TRUE(facts_of({{"PMIX_RANK", "0"}}).launched());
  EXPECT_TRUE(facts_of({{"PMI_RANK", "0"}}).launched());
}

TEST(LaunchFactsTest, RefusesAnythingButNumbers) {
  EXPECT_NE(refusal({{"OMPI_COMM_WORLD_SIZE", "four"}}, 1), "");
  EXPECT_NE(refusal({{"SLURM_NTASKS", "4x"}}, 1), "");
}

TEST(LaunchFactsTest, AcceptsWorldsThatFit) {
  EXPECT_EQ(refusal({}, 1), "");
  EXPECT_EQ(refusal({{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "2"}}, 4, 2), "");
  // One rank by mpirun in a job of eight tasks is what the user asked for.
  EXPECT_EQ(refusal({{"OMPI_COMM_WORLD_SIZE", "1"}, {"SLURM_NTASKS", "8"}}, 1), "");
  // mpirun's daemons are tasks of Slurm: one a host.
  EXPECT_EQ(refusal({{"OMPI_COMM_WORLD_SIZE", "8"}, {"SLURM_STEP_NUM_TASKS", "2"}}, 8), "");
  EXPECT_EQ(refusal({{"PMIX_RANK", "0"}, {"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_NTASKS", "8"}}, 8),
            "");
  EXPECT_EQ(refusal({{"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_NTASKS", "1"}}, 1), "");
}

TEST(LaunchFactsTest, RefusesSingletons) {
  const std::string expected =
      "Slurm started 8 tasks but MPI sees 1 rank in each. Start with mpirun, or srun --mpi=pmix";
  EXPECT_EQ(refusal({{"SLURM_NTASKS", "8"}}, 1), expected);
  EXPECT_EQ(refusal({{"SLURM_STEP_NUM_TASKS", "8"}}, 1), expected);
  EXPECT_EQ(refusal({{"PMI_SIZE", "8"}, {"PMI_RANK", "3"}}, 1), expected);
}

TEST(LaunchFactsTest, ACommandForOneProcessMayRunInAJobScript) {
  EXPECT_NO_THROW(check_facts(facts_of({{"SLURM_NTASKS", "8"}}), 1, 0));
}

TEST(LaunchFactsTest, RefusesContradictions) {
  EXPECT_NE(refusal({{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "2"}}, 1), "");
  EXPECT_NE(refusal({{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "2"}}, 4, 1), "");
  EXPECT_NE(refusal({{"PMIX_RANK", "0"}, {"SLURM_STEP_NUM_TASKS", "8"}}, 4), "");
}

std::string disagreement(Communicator& group, const std::vector<NamedValue>& values) {
  try {
    check_launch(group, concat("node", group.rank()), values);
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::kRanksDisagree);
    return error.what();
  }
  return "";
}

TEST(LaunchCheckTest, EqualRanksPass) {
  run_ranks(3, [](Communicator& group) {
    EXPECT_EQ(disagreement(group, {{"config hash", "ab"}, {"MKL_CBWR", ""}}), "");
    EXPECT_EQ(disagreement(group, build_facts("1.0")), "");
  });
}

TEST(LaunchCheckTest, NamesTheFirstDifference) {
  run_ranks(3, [](Communicator& group) {
    const std::string hash = group.rank() == 2 ? "cd" : "ab";
    EXPECT_EQ(
        disagreement(group, {{"version", "1"}, {"config hash", hash}}),
        "launch: config hash differs: expected ab as rank 0 (node0), got cd on rank 2 (node2)."
        " Start all ranks with the same command, files and environment");
  });
}

TEST(LaunchCheckTest, AValueThatOneRankDoesNotGiveDiffers) {
  run_ranks(2, [](Communicator& group) {
    std::vector<NamedValue> values = {{"version", "1"}};
    if (group.rank() == 1) values.push_back({"patch", "7"});
    EXPECT_NE(disagreement(group, values), "");
  });
}

// A network that loses a bit of the sums.
class LossyCommunicator : public Communicator {
 public:
  explicit LossyCommunicator(Communicator& group) : group_(group) {}
  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  bool device_memory() const override { return false; }
  void all_reduce(void* data, std::size_t count, DataType type, ReduceOp op) override {
    group_.all_reduce(data, count, type, op);
    if (op == ReduceOp::kSum && rank() == 1) static_cast<std::int64_t*>(data)[count - 1] ^= 16;
  }
  void all_gather(const void* send, void* receive, std::size_t count, DataType type) override {
    group_.all_gather(send, receive, count, type);
  }
  void reduce_scatter(const void* send, void* receive, std::size_t count, DataType type,
                      ReduceOp op) override {
    group_.reduce_scatter(send, receive, count, type, op);
  }
  void all_to_all(const void* send, void* receive, std::size_t count, DataType type) override {
    group_.all_to_all(send, receive, count, type);
  }
  void broadcast(void* data, std::size_t count, DataType type, int root) override {
    group_.broadcast(data, count, type, root);
  }
  void barrier() override { group_.barrier(); }
  std::unique_ptr<Communicator> split(int color, int key) override {
    return group_.split(color, key);
  }

 private:
  Communicator& group_;
};

TEST(LaunchCheckTest, AWrongSumEndsTheStart) {
  run_ranks(2, [](Communicator& group) {
    LossyCommunicator lossy(group);
    try {
      check_launch(lossy, "node", {});
      ADD_FAILURE() << "no exception";
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.code(), ExitCode::kLauncher);
    }
  });
}

}  // namespace
}  // namespace pretrain
