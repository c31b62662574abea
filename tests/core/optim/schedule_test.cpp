#include "core/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

Schedule make(const std::string& name) { return {schedule_shape(name), 2.0, 0.1, 10, 20, 100}; }

TEST(Schedule, EveryShapeWarmsUpAndStaysWithinItsBounds) {
  for (const char* name : {"constant", "linear", "cosine", "wsd", "inverse_sqrt"}) {
    const Schedule schedule = make(name);
    for (std::int64_t step = 1; step <= 10; ++step) {
      EXPECT_DOUBLE_EQ(schedule.learning_rate(step), 2.0 * static_cast<double>(step) / 10) << name;
    }
    double last = schedule.learning_rate(10);
    for (std::int64_t step = 11; step <= 150; ++step) {
      const double rate = schedule.learning_rate(step);
      EXPECT_LE(rate, last) << name << " rises at " << step;
      EXPECT_GE(rate, 0.2 - 1e-12) << name << " falls below its floor at " << step;
      last = rate;
    }
  }
}

TEST(Schedule, ShapesAreTheirFormulas) {
  EXPECT_DOUBLE_EQ(make("constant").learning_rate(77), 2.0);
  EXPECT_DOUBLE_EQ(make("linear").learning_rate(55), 2.0 * (0.1 + 0.9 * 0.5));
  EXPECT_DOUBLE_EQ(make("cosine").learning_rate(55), 2.0 * (0.1 + 0.9 * 0.5));
  EXPECT_NEAR(make("cosine").learning_rate(40), 2.0 * (0.1 + 0.9 * 0.75), 1e-12);
  EXPECT_DOUBLE_EQ(make("wsd").learning_rate(80), 2.0);
  EXPECT_DOUBLE_EQ(make("wsd").learning_rate(90), 2.0 * (0.1 + 0.9 * 0.5));
  EXPECT_DOUBLE_EQ(make("inverse_sqrt").learning_rate(40), 2.0 * std::sqrt(10.0 / 40.0));
  for (const char* name : {"linear", "cosine", "wsd"}) {
    EXPECT_NEAR(make(name).learning_rate(100), 0.2, 1e-12) << name;
    EXPECT_NEAR(make(name).learning_rate(1000), 0.2, 1e-12) << name;
  }
}

TEST(Schedule, WithoutWarmUpTheFirstStepHasTheFullRate) {
  Schedule schedule = make("cosine");
  schedule.warmup = 0;
  EXPECT_GT(schedule.learning_rate(1), 1.99);
}

TEST(Schedule, UnknownShapeIsNamed) {
  testing::expect_error(ExitCode::kBadConfig, "stairs", [] { schedule_shape("stairs"); });
}

}  // namespace
}  // namespace pretrain
