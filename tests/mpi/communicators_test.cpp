#include <gtest/gtest.h>
#include <torch/cuda.h>

#include <cstring>

#include "core/base/random.h"
#include "tests/mpi/mpi_process.h"
#include "tests/mpi/staged_communicator.h"
#include "tests/parallel/communicator_conformance.h"

namespace pretrain::testing {
namespace {

// Every registered communicator under every check.
using Case = std::tuple<std::string, CommunicatorCheck>;
class RegisteredCommunicator : public ::testing::TestWithParam<Case> {};

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  return std::get<0>(info.param) + "_" + std::get<1>(info.param).name;
}

bool every_rank_has_a_gpu() {
  Process& process = mpi_process();
  const auto gpus = static_cast<std::int64_t>(torch::cuda::device_count());
  std::int64_t lacks = gpus < process.local_size();
  all_reduce_max(process.control(), {&lacks, 1});
  return lacks == 0;
}

TEST_P(RegisteredCommunicator, Conforms) {
  const auto& [name, check] = GetParam();
  Process& process = mpi_process();
  CommunicatorContext context;
  context.control = &process.control();
  if (name == "local" && process.world() > 1) {  // a world of one: all it may do is refuse
    EXPECT_THROW(communicators().create(name, context), Error);
    return;
  }
  if (name == "nccl") {
    if (!every_rank_has_a_gpu()) GTEST_SKIP() << "nccl needs a GPU for each rank";
    context.device = process.local_rank();
  }
  auto communicator = communicators().create(name, context);
  EXPECT_EQ(communicator->rank(), process.rank());
  EXPECT_EQ(communicator->size(), process.world());
  if (communicator->device_memory()) {
    communicator = std::make_unique<StagedCommunicator>(std::move(communicator));
  }
  check.check(*communicator);
}

INSTANTIATE_TEST_SUITE_P(All, RegisteredCommunicator,
                         ::testing::Combine(::testing::ValuesIn(communicators().names()),
                                            ::testing::ValuesIn(communicator_conformance())),
                         case_name);

TEST(LocalCommunicatorTest, ServesOneRankAndRefusesMany) {
  Process& process = mpi_process();
  CommunicatorContext context;
  context.control = &process.control();
  try {
    communicators().create("local", context);
    EXPECT_EQ(process.world(), 1);
  } catch (const Error& error) {
    EXPECT_GT(process.world(), 1);
    EXPECT_EQ(error.code(), ExitCode::kBadConfig);
  }
}

// What makes sharded training (reduce-scatter) equal the unsharded one (all-reduce) bit for bit.
TEST(MpiCommunicatorTest, ShardedSumsEqualUnshardedBitForBit) {
  Communicator& group = mpi_process().control();
  const auto ranks = static_cast<std::size_t>(group.size());
  const auto rank = static_cast<std::uint64_t>(group.rank());
  for (const std::size_t shard : {5u, 3000u, 2'000'000u}) {
    std::vector<float> whole(shard * ranks);
    RandomStream random(7, RandomPurpose::kTest, rank);
    for (float& value : whole) value = static_cast<float>(random.normal());
    std::vector<float> part(shard);
    group.reduce_scatter(whole.data(), part.data(), shard, DataType::kF32, ReduceOp::kSum);
    group.all_reduce(whole.data(), whole.size(), DataType::kF32, ReduceOp::kSum);
    EXPECT_EQ(std::memcmp(part.data(), whole.data() + rank * shard, shard * sizeof(float)), 0);
  }
}

// The order of a sum depends on the ranks alone, not on where an element lies or in what call.
TEST(MpiCommunicatorTest, SumsDoNotDependOnHowTheyAreCut) {
  Communicator& group = mpi_process().control();
  std::vector<float> whole(3'000'001);
  RandomStream random(8, RandomPurpose::kTest, static_cast<std::uint64_t>(group.rank()));
  for (float& value : whole) value = static_cast<float>(random.normal());
  std::vector<float> pieces = whole;
  group.all_reduce(whole.data(), whole.size(), DataType::kF32, ReduceOp::kSum);
  for (std::size_t begin = 0, n = 1; begin < pieces.size(); begin += n, n = n * 7 + 3) {
    n = std::min(n, pieces.size() - begin);
    group.all_reduce(pieces.data() + begin, n, DataType::kF32, ReduceOp::kSum);
  }
  EXPECT_EQ(std::memcmp(pieces.data(), whole.data(), whole.size() * sizeof(float)), 0);
}

}  // namespace
}  // namespace pretrain::testing
