#include "core/communicator.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/testing/thread_communicator.h"

namespace pretrain {
namespace {

using testing::run_ranks;

TEST(CommunicatorTest, SizesOfTypes) {
  EXPECT_EQ(size_of(DataType::kU8), 1u);
  EXPECT_EQ(size_of(DataType::kBF16), 2u);
  EXPECT_EQ(size_of(DataType::kI32), 4u);
  EXPECT_EQ(size_of(DataType::kF32), 4u);
  EXPECT_EQ(size_of(DataType::kI64), 8u);
  EXPECT_EQ(size_of(DataType::kF64), 8u);
}

TEST(CommunicatorTest, ReducesSpans) {
  run_ranks(3, [](Communicator& group) {
    std::array<double, 2> sums = {group.rank() + 0.5, 1.0};
    all_reduce_sum(group, sums);
    EXPECT_EQ(sums, (std::array<double, 2>{4.5, 3.0}));
    std::array<std::int64_t, 2> largest = {group.rank(), -group.rank()};
    all_reduce_max(group, largest);
    EXPECT_EQ(largest, (std::array<std::int64_t, 2>{2, 0}));
  });
}

TEST(CommunicatorTest, TextOfAnyLengthReachesAllRanks) {
  for (const std::size_t length : {0u, 1u, 1000u}) {
    run_ranks(3, [&](Communicator& group) {
      const std::string mine(length, static_cast<char>('a' + group.rank()));
      EXPECT_EQ(broadcast_text(group, mine, 1), std::string(length, 'b'));
    });
  }
  run_ranks(4, [](Communicator& group) {
    const std::string mine(static_cast<std::size_t>(group.rank()), 'x');
    EXPECT_EQ(all_gather_text(group, mine), (std::vector<std::string>{"", "x", "xx", "xxx"}));
  });
}

// The code and message all ranks leave `agree` with; code 0 if they pass.
Error outcome(Communicator& group, const std::function<void()>& stage) {
  try {
    agree(group, stage);
  } catch (const Error& error) {
    return error;
  }
  return Error(ExitCode::kOk, "");
}

TEST(AgreeTest, PassesWhereNoRankFails) {
  run_ranks(3, [](Communicator& group) { EXPECT_EQ(outcome(group, [] {}).code(), ExitCode::kOk); });
}

TEST(AgreeTest, OneRanksErrorIsEverybodys) {
  run_ranks(3, [](Communicator& group) {
    const Error error = outcome(group, [&] {
      if (group.rank() == 2) fail(ExitCode::kBadData, "a.h5: torn");
    });
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    EXPECT_STREQ(error.what(), "rank 2: a.h5: torn");
  });
}

TEST(AgreeTest, TheLargestCodeWinsAndTheLowestRankSpeaks) {
  run_ranks(4, [](Communicator& group) {
    const Error error = outcome(group, [&] {
      if (group.rank() == 0) fail(ExitCode::kBadData, "torn");
      if (group.rank() >= 2) fail(ExitCode::kBadConfig, "bad on ", group.rank());
    });
    EXPECT_EQ(error.code(), ExitCode::kBadConfig);
    EXPECT_STREQ(error.what(), "rank 2: bad on 2");
  });
}

TEST(AgreeTest, ACommonErrorIsNobodysInParticular) {
  run_ranks(3, [](Communicator& group) {
    const Error error = outcome(group, [] { fail(ExitCode::kBadData, "torn"); });
    EXPECT_STREQ(error.what(), "torn");
  });
}

TEST(AgreeTest, AForeignExceptionIsInternal) {
  run_ranks(2, [](Communicator& group) {
    const Error error = outcome(group, [&] {
      if (group.rank() == 1) throw std::runtime_error("boom");
    });
    EXPECT_EQ(error.code(), ExitCode::kInternal);
    EXPECT_STREQ(error.what(), "rank 1: boom");
  });
}

// The fake itself: a test with it may not hang.
TEST(ThreadCommunicatorTest, ARankThatThrowsFreesTheOthers) {
  try {
    run_ranks(3, [](Communicator& group) {
      if (group.rank() == 1) fail(ExitCode::kIo, "rank 1 stops");
      group.barrier();
    });
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo);
  }
}

TEST(ThreadCommunicatorTest, DifferentCallsAreRefused) {
  EXPECT_THROW(run_ranks(2,
                         [](Communicator& group) {
                           std::int64_t value[2] = {};
                           const std::size_t count = group.rank() == 0 ? 1 : 2;
                           group.all_reduce(value, count, DataType::kI64, ReduceOp::kSum);
                         }),
               Error);
}

}  // namespace
}  // namespace pretrain
