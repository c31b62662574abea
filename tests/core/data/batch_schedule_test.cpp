#include "core/data/batch_schedule.h"

#include <gtest/gtest.h>

#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

TEST(BatchSchedule, StepsTileTheSamples) {
  BatchSchedule batches(4);
  batches.change(10, 8);
  batches.change(11, 3);
  std::uint64_t samples = 0;
  for (std::uint64_t step = 0; step < 50; ++step) {
    ASSERT_EQ(batches.first_sample(step), samples);
    ASSERT_EQ(batches.sequences(step), step < 10 ? 4 : step < 11 ? 8 : 3);
    samples += static_cast<std::uint64_t>(batches.sequences(step));
  }
}

TEST(BatchSchedule, StepsOfSamplesInvertFirstSample) {
  BatchSchedule batches(4);
  batches.change(10, 8);
  batches.change(20, 16);
  for (std::uint64_t step = 0; step < 60; ++step) {
    EXPECT_DOUBLE_EQ(batches.steps(static_cast<double>(batches.first_sample(step))),
                     static_cast<double>(step));
  }
  EXPECT_DOUBLE_EQ(batches.steps(44), 10.5);
}

TEST(BatchSchedule, ChangesGoForward) {
  BatchSchedule batches(4);
  batches.change(10, 8);
  testing::expect_error(ExitCode::kInternal, "after one from 10", [&] { batches.change(10, 9); });
  testing::expect_error(ExitCode::kInternal, "batch of 0", [&] { batches.change(11, 0); });
  testing::expect_error(ExitCode::kInternal, "step of 0", [] { BatchSchedule(0); });
}

}  // namespace
}  // namespace pretrain
