#include "core/data_loader.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/core/base/no_more_threads.h"
#include "tests/objectives/tiny_objective.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kRows = 37;
constexpr std::size_t kWidth = 9;

// Row r holds r in every position, so that a batch shows which rows it is made of.
class NumberedRows : public Dataset {
 public:
  std::uint64_t size() const override { return kRows; }
  std::size_t row_tokens() const override { return kWidth; }
  void read(std::uint64_t index, std::span<std::int64_t> out) const override {
    if (index == broken) fail(ExitCode::kBadData, "row ", index, " is broken");
    for (std::int64_t& token : out) token = static_cast<std::int64_t>(index);
  }
  std::vector<TokenPlace> places(std::uint64_t) const override { return {}; }
  std::uint64_t broken = kRows;
};

SamplePlan plan(bool shuffle) { return SamplePlan(5, shuffle, {{kRows}}, {{0, {1}}}); }

// Rows of `steps` steps from `first` on, as all ranks of the layout read them, step by step.
std::vector<std::multiset<std::int64_t>> rows_read(const BatchLayout& layout, std::int64_t first,
                                                   int steps, std::int64_t threads = 1) {
  const NumberedRows dataset;
  const auto objective = testing::make_tiny_objective("causal_lm", 64, kWidth - 1);
  const BatchReader reader({&dataset}, plan(true), *objective);
  std::vector<std::multiset<std::int64_t>> seen(static_cast<std::size_t>(steps));
  for (int rank = 0; rank < layout.ranks; ++rank) {
    DataLoader loader(reader, layout, BatchSchedule(layout.sequences()), rank, {2, threads});
    loader.start(first);
    for (auto& step : seen) {
      const auto batches = loader.next();
      EXPECT_EQ(static_cast<std::int64_t>(batches.size()), layout.accumulation);
      for (const Batch& batch : batches) {
        EXPECT_EQ(static_cast<std::int64_t>(batch.inputs.lengths.size()), layout.micro_batch);
        for (std::int64_t r = 0; r < layout.micro_batch; ++r) {
          step.insert(batch.inputs.tokens[r * batch.inputs.lengths[0]].item<std::int64_t>());
        }
      }
    }
  }
  return seen;
}

TEST(DataLoader, WithoutThreadsItSaysSo) {
  const NumberedRows dataset;
  const auto objective = testing::make_tiny_objective("causal_lm", 64, kWidth - 1);
  DataLoader loader(BatchReader({&dataset}, plan(true), *objective), {12, 1, 1}, BatchSchedule(12),
                    0, {2, 3});
  const testing::NoMoreThreads none;
  testing::expect_error(ExitCode::kOutOfMemory, "data.io_threads: cannot start thread 1 of 3",
                        [&] { loader.start(0); });
}

TEST(DataLoader, SamplesOfAStepDoNotDependOnHowTheyAreDealtOut) {
  const auto expected = rows_read({12, 1, 1}, 0, 8);
  for (std::int64_t ranks : {1, 2, 3, 4, 6}) {
    for (std::int64_t micro : {1, 2}) {
      if (12 % (ranks * micro) != 0) continue;
      EXPECT_EQ(rows_read({micro, ranks, 12 / ranks / micro}, 0, 8), expected)
          << ranks << " ranks, micro batch " << micro;
    }
  }
}

TEST(DataLoader, StartingLaterIsTheSameAsHavingReadOn) {
  const auto all = rows_read({4, 1, 1}, 0, 30);
  const auto later = rows_read({4, 1, 1}, 17, 13);
  EXPECT_TRUE(std::equal(later.begin(), later.end(), all.begin() + 17));
}

TEST(DataLoader, ThreadsChangeNothing) {
  const auto alone = rows_read({2, 2, 3}, 5, 40);
  for (const std::int64_t threads : {2, 5}) EXPECT_EQ(rows_read({2, 2, 3}, 5, 40, threads), alone);
}

TEST(DataLoader, ABatchThatGrowsLosesNoSample) {
  const NumberedRows dataset;
  const auto objective = testing::make_tiny_objective("causal_lm", 64, kWidth - 1);
  BatchSchedule batches(4);
  batches.change(3, 12);
  for (const std::int64_t ranks : {1, 2}) {
    std::vector<std::uint64_t> ids;
    for (std::int64_t step = 0; step < 6; ++step) {
      for (int rank = 0; rank < ranks; ++rank) {
        DataLoader loader(BatchReader({&dataset}, plan(true), *objective), {2, ranks, 2 / ranks},
                          batches, rank, {1, 1});
        loader.start(step);
        for (const Batch& batch : loader.next()) {
          ids.insert(ids.end(), batch.sample_ids.begin(), batch.sample_ids.end());
        }
      }
    }
    ASSERT_EQ(ids.size(), 3u * 4 + 3 * 12);
    for (std::size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(ids[i], i);
  }
}

TEST(DataLoader, ItsCursorSaysWhatEachSourceGave) {
  const NumberedRows dataset;
  const auto objective = testing::make_tiny_objective("causal_lm", 64, kWidth - 1);
  const SamplePlan mixed(5, true, {{kRows}, {kRows}}, {{0, {3, 1}}, {100, {0, 1}}});
  const DataLoader loader(BatchReader({&dataset, &dataset}, mixed, *objective), {1, 1, 1},
                          BatchSchedule(1), 0, {});
  DataCursor cursor;
  cursor.sources.resize(2);
  loader.locate(140, cursor);
  EXPECT_EQ(cursor.samples, 140u);
  EXPECT_EQ(cursor.phase, 1u);
  EXPECT_EQ(cursor.sources[0].samples, 75u);
  EXPECT_EQ(cursor.sources[1].samples, 65u);
}

TEST(DataLoader, AnEpochVisitsEachRowOnce) {
  std::multiset<std::int64_t> seen;
  for (const auto& step : rows_read({1, 1, 1}, 0, kRows)) seen.insert(step.begin(), step.end());
  EXPECT_EQ(seen.size(), kRows);
  EXPECT_EQ(std::set<std::int64_t>(seen.begin(), seen.end()).size(), kRows);
}

TEST(DataLoader, WhatTheReadingThreadMeetsComesOutOfNext) {
  NumberedRows dataset;
  dataset.broken = 3;
  const auto objective = testing::make_tiny_objective("causal_lm", 64, kWidth - 1);
  for (const std::int64_t threads : {1, 3}) {
    DataLoader loader(BatchReader({&dataset}, plan(false), *objective), {1, 1, 1}, BatchSchedule(1),
                      0, {4, threads});
    loader.start(0);
    for (int i = 0; i < 3; ++i) loader.next();
    testing::expect_error(ExitCode::kBadData, "row 3 is broken", [&] { loader.next(); });
  }
}

TEST(DataLoader, CanBeDroppedWhileReading) {
  const NumberedRows dataset;
  const auto objective = testing::make_tiny_objective("causal_lm", 64, kWidth - 1);
  for (int i = 0; i < 20; ++i) {
    DataLoader loader(BatchReader({&dataset}, plan(true), *objective), {2, 1, 2}, BatchSchedule(4),
                      0, {3, 1 + i % 3});
    loader.start(i);
  }
}

}  // namespace
}  // namespace pretrain
