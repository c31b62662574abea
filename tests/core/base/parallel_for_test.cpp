#include "core/base/parallel_for.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "tests/core/base/no_more_threads.h"

namespace pretrain {
namespace {

TEST(ParallelFor, CallsEachOnceOnAnyNumberOfThreads) {
  for (unsigned threads : {0U, 1U, 2U, 7U}) {
    for (std::size_t count : {0U, 1U, 3U, 1000U}) {
      std::vector<std::atomic<int>> calls(count);
      parallel_for(count, threads, [&](std::size_t i) { ++calls[i]; });
      for (const auto& n : calls) EXPECT_EQ(n, 1);
    }
  }
}

// Calls begin in order, so the smallest that fails has begun before any larger one.
TEST(ParallelFor, ThrowsTheFailureOfTheSmallest) {
  for (unsigned threads : {1U, 4U}) {
    for (int repeat = 0; repeat < 50; ++repeat) {
      try {
        parallel_for(100, threads, [](std::size_t i) {
          if (i >= 10) throw std::runtime_error(std::to_string(i));
        });
        ADD_FAILURE() << "nothing thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "10");
      }
    }
  }
}

TEST(ParallelFor, GoesOnWithTheThreadsThereAre) {
  const testing::NoMoreThreads none;
  EXPECT_THROW(std::thread([] {}), std::system_error);
  std::vector<std::atomic<int>> calls(100);
  parallel_for(calls.size(), 8, [&](std::size_t i) { ++calls[i]; });
  for (const auto& n : calls) EXPECT_EQ(n, 1);
}

}  // namespace
}  // namespace pretrain
