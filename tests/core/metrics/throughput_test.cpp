#include "core/metrics/throughput.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "core/base/random.h"

namespace pretrain {
namespace {

using namespace std::chrono_literals;

TEST(ThroughputTest, MeansSinceTheLastLine) {
  Throughput throughput(4, 2e12);
  throughput.add_step({0.1, 0.5, 0.2, 0.1, 0.1}, 1000, 4e12);
  throughput.add_step({0.3, 1.5, 0.2, 0.5, 0.5}, 3000, 12e12);
  const Rates rates = throughput.take();
  EXPECT_DOUBLE_EQ(rates.mean.step, 2);
  EXPECT_DOUBLE_EQ(rates.mean.data, 0.2);
  EXPECT_DOUBLE_EQ(rates.mean.compute, 1);
  EXPECT_DOUBLE_EQ(rates.mean.comm, 0.2);
  EXPECT_DOUBLE_EQ(rates.mean.opt, 0.3);
  EXPECT_DOUBLE_EQ(rates.mean.other, 0.3);
  EXPECT_DOUBLE_EQ(rates.tok_per_s, 1000);
  EXPECT_DOUBLE_EQ(rates.tflops, 1);  // 16e12 in 4 s on 4 ranks
  EXPECT_DOUBLE_EQ(rates.mfu.value(), 0.5);

  throughput.add_step({0, 1, 0, 0, 0}, 10, 1e12);
  EXPECT_DOUBLE_EQ(throughput.take().tok_per_s, 10);
}

TEST(ThroughputTest, PartsSumToTheStep) {
  RandomStream random(9, RandomPurpose::kTest, 0);
  Throughput throughput(1, std::nullopt);
  for (int line = 0; line < 100; ++line) {
    const std::uint64_t steps = 1 + random.below(20);
    for (std::uint64_t step = 0; step < steps; ++step) {
      PhaseTimes times;
      for (double& time : times) time = random.uniform();
      throughput.add_step(times, 1, 1);
    }
    const MeanTimes mean = throughput.take().mean;
    EXPECT_NEAR(mean.data + mean.compute + mean.comm + mean.opt + mean.other, mean.step, 1e-12);
  }
}

TEST(ThroughputTest, UnknownPeakGivesNoMfuAndNoStepsGiveZero) {
  Throughput throughput(1, std::nullopt);
  EXPECT_EQ(throughput.take().tok_per_s, 0);
  EXPECT_FALSE(throughput.eta(10).has_value());
  throughput.add_step({1, 0, 0, 0, 0}, 1, 1);
  EXPECT_FALSE(throughput.take().mfu.has_value());
}

TEST(ThroughputTest, EtaFollowsThePaceWithPauses) {
  Throughput throughput(1, std::nullopt);
  for (int step = 0; step < 10; ++step) throughput.add_step({0, 1, 0, 0, 0}, 1, 1);
  throughput.add_pause(10);
  EXPECT_DOUBLE_EQ(throughput.take().mean.step, 1);  // a pause is no part of a step
  EXPECT_DOUBLE_EQ(throughput.eta(100).value(), 200);
  for (int line = 0; line < 100; ++line) {
    throughput.add_step({0, 3, 0, 0, 0}, 1, 1);
    throughput.take();
  }
  EXPECT_NEAR(throughput.eta(1).value(), 3, 0.01);
}

TEST(StepTimerTest, TimeGoesToThePhaseThatRuns) {
  const auto start = std::chrono::steady_clock::now();
  StepTimer timer;
  timer.enter(StepPhase::kData);
  std::this_thread::sleep_for(20ms);
  timer.enter(StepPhase::kCompute);
  timer.enter(StepPhase::kData);
  std::this_thread::sleep_for(10ms);
  const PhaseTimes times = timer.finish();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  EXPECT_GE(times[static_cast<std::size_t>(StepPhase::kData)], 0.030);
  EXPECT_LE(std::accumulate(times.begin(), times.end(), 0.0), elapsed.count());
  EXPECT_EQ(times[static_cast<std::size_t>(StepPhase::kComm)], 0);
  // The next step starts from nothing.
  EXPECT_EQ(timer.finish()[static_cast<std::size_t>(StepPhase::kData)], 0);
}

}  // namespace
}  // namespace pretrain
