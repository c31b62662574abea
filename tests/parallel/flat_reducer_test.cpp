#include "parallel/flat_reducer.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "tests/testing/thread_communicator.h"

namespace pretrain {
namespace {

using testing::run_ranks;

TEST(FlatReducerTest, GradientsBecomeTheSumOfAllRanks) {
  run_ranks(3, [](Communicator& group) {
    const at::Tensor gradients = at::arange(1000, at::kFloat) * (group.rank() + 1);
    FlatReducer reducer(group);
    reducer.attach(gradients);
    reducer.set_sync(true);
    reducer.finalize();
    EXPECT_TRUE(at::equal(gradients, at::arange(1000, at::kFloat) * 6));
  });
}

TEST(FlatReducerTest, MicroBatchesAreSummedOnceAStep) {
  run_ranks(2, [](Communicator& group) {
    const at::Tensor gradients = at::zeros({4}, at::kFloat);
    FlatReducer reducer(group);
    reducer.attach(gradients);
    for (int step = 1; step <= 2; ++step) {
      gradients.zero_();
      for (int micro_batch = 0; micro_batch < 3; ++micro_batch) {
        reducer.set_sync(micro_batch == 2);
        gradients.add_(step);
      }
      reducer.finalize();
      EXPECT_TRUE(at::equal(gradients, at::full({4}, 6.0f * static_cast<float>(step))));
    }
  });
}

TEST(FlatReducerTest, RefusesWhatItCannotReduce) {
  run_ranks(1, [](Communicator& group) {
    FlatReducer reducer(group);
    EXPECT_THROW(reducer.finalize(), Error);
    EXPECT_THROW(reducer.attach(at::zeros({4}, at::kDouble)), Error);
    EXPECT_THROW(reducer.attach(at::zeros({4, 2}, at::kFloat)), Error);
    EXPECT_THROW(reducer.attach(at::zeros({4, 2}, at::kFloat).select(1, 0)), Error);
    reducer.attach(at::zeros({4}, at::kFloat));
    reducer.set_sync(false);
    EXPECT_THROW(reducer.finalize(), Error);
  });
}

}  // namespace
}  // namespace pretrain
