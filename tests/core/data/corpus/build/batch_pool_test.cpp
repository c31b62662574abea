#include "core/data/corpus/build/batch_pool.h"

#include "tests/core/base/no_more_threads.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

TEST(BatchPool, WithoutThreadsItSaysSo) {
  const testing::NoMoreThreads none;
  testing::expect_error(ExitCode::kOutOfMemory, "cannot start thread 1 of 3",
                        [] { BatchPool(3, [](BuildBatch&) {}); });
}

TEST(BatchPool, BatchesComeBackInTheirOrder) {
  BatchPool pool(3, [](BuildBatch& batch) {
    batch.ids.push_back(static_cast<std::uint32_t>(batch.data.size() % 7));
  });
  for (std::size_t i = 0; i < 50; ++i) {
    auto batch = std::make_unique<BuildBatch>();
    batch->data.assign(i, 'x');
    pool.put(std::move(batch));
  }
  EXPECT_EQ(pool.bytes(), 49U * 50 / 2);
  for (std::size_t i = 0; i < 50; ++i) {
    const auto batch = pool.take();
    EXPECT_EQ(batch->data.size(), i);
    EXPECT_EQ(batch->ids, std::vector<std::uint32_t>{static_cast<std::uint32_t>(i % 7)});
  }
  EXPECT_EQ(pool.size(), 0U);
}

}  // namespace
}  // namespace pretrain
