#include "core/run/flags_record.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/random.h"
#include "tests/testing/thread_communicator.h"

namespace pretrain {
namespace {

using testing::run_ranks;

FlagsRecord random_record(RandomStream& random, std::uint64_t step) {
  FlagsRecord record;
  record.error_code = static_cast<std::uint8_t>(random.below(128));
  record.stop_request = static_cast<std::uint8_t>(random.below(5));
  record.nonfinite = random.below(2) == 1;
  record.save_due = random.below(2) == 1;
  record.write_failed = random.below(2) == 1;
  record.step = step;
  return record;
}

FlagsRecord merged_by_hand(const FlagsRecord& a, const FlagsRecord& b) {
  return {std::max(a.error_code, b.error_code), std::max(a.stop_request, b.stop_request),
          a.nonfinite || b.nonfinite,           a.save_due || b.save_due,
          a.write_failed || b.write_failed,     a.step};
}

TEST(FlagsRecordTest, PackAndUnpackAreInverse) {
  RandomStream random(1, RandomPurpose::kTest, 1);
  for (int i = 0; i < 200; ++i) {
    const FlagsRecord record = random_record(random, random.next_u64());
    EXPECT_EQ(unpack(pack(record)), record);
  }
}

TEST(FlagsRecordTest, LayoutIsAsDocumented) {
  FlagsRecord record;
  record.error_code = 65;
  record.stop_request = static_cast<std::uint8_t>(StopRequest::kPreempt);
  record.nonfinite = true;
  record.save_due = true;
  record.write_failed = true;
  record.step = 0x0102030405060708u;
  FlagsBytes expected{};
  expected[0] = 1;
  expected[1] = 0xFE;
  expected[2] = 65;
  expected[3] = 3;
  expected[4] = expected[7] = expected[9] = 1;
  for (std::uint8_t i = 0; i < 8; ++i) {
    expected[16u + i] = static_cast<std::uint8_t>(8 - i);
    expected[24u + i] = static_cast<std::uint8_t>(~(8 - i));
  }
  EXPECT_EQ(pack(record), expected);
}

TEST(FlagsRecordTest, MergeTakesTheWorstOfEach) {
  RandomStream random(1, RandomPurpose::kTest, 2);
  for (int i = 0; i < 200; ++i) {
    const FlagsRecord a = random_record(random, 7);
    const FlagsRecord b = random_record(random, 7);
    FlagsBytes merged = pack(a);
    merge(merged, pack(b));
    EXPECT_EQ(unpack(merged), merged_by_hand(a, b));
  }
}

TEST(FlagsRecordTest, AnyTwoDifferentStepsDisagree) {
  RandomStream random(1, RandomPurpose::kTest, 3);
  for (int i = 0; i < 2000; ++i) {
    FlagsRecord a;
    FlagsRecord b;
    a.step = random.next_u64() >> random.below(64);
    b.step = i % 2 == 0 ? a.step ^ (std::uint64_t{1} << random.below(64)) : a.step + 1;
    FlagsBytes merged = pack(a);
    merge(merged, pack(b));
    EXPECT_EQ(unpack(merged), std::nullopt) << a.step << " " << b.step;
  }
}

TEST(FlagsRecordTest, AnotherVersionDisagrees) {
  FlagsBytes newer = pack({});
  newer[0] = 2;
  newer[1] = 0xFD;
  EXPECT_EQ(unpack(newer), std::nullopt);
  merge(newer, pack({}));
  EXPECT_EQ(unpack(newer), std::nullopt);
}

TEST(FlagsRecordTest, ExchangeGivesAllRanksTheSame) {
  run_ranks(4, [](Communicator& group) {
    FlagsRecord mine;
    mine.step = 12;
    if (group.rank() == 1) mine.error_code = 65;
    if (group.rank() == 2) mine.error_code = 71;
    if (group.rank() == 3) mine.stop_request = 4;
    mine.nonfinite = group.rank() == 0;
    EXPECT_EQ(exchange(group, mine), (FlagsRecord{71, 4, true, false, false, 12}));
  });
}

TEST(FlagsRecordTest, DifferentStepsEndTheRunOnAllRanks) {
  run_ranks(4, [](Communicator& group) {
    FlagsRecord mine;
    mine.step = group.rank() == 2 ? 13 : 12;
    try {
      exchange(group, mine);
      ADD_FAILURE() << "no exception";
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.code(), ExitCode::kRanksDisagree);
      EXPECT_NE(std::string(error.what()).find("step 12 on rank 0, 1, 3; step 13 on rank 2"),
                std::string::npos)
          << error.what();
    }
  });
}

}  // namespace
}  // namespace pretrain
