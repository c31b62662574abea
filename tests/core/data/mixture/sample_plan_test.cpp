#include "core/data/mixture/sample_plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/data/batch_schedule.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

const std::vector<SourceRows> kSources{{70, 1}, {11, 1}, {30, 4}};

SamplePlan plan(const std::vector<MixturePhase>& phases, bool shuffle = true) {
  return SamplePlan(7, shuffle, kSources, phases);
}

TEST(SamplePlan, ASingleSourceKeepsTheOrderOfItsRows) {
  const SamplePlan one(7, true, {{70, 1}}, {{0, {1}}});
  const SampleOrder order(7, 70, true);
  for (std::uint64_t n = 0; n < 300; ++n) {
    ASSERT_EQ(one.sample(n).row, order.row(n));
    ASSERT_EQ(one.sample(n).row_id, order.row(n));
    ASSERT_EQ(one.sample(n).epoch, n / 70);
  }
}

TEST(SamplePlan, EachSourceGivesEachRowOnceAnEpochAcrossPhases) {
  const SamplePlan mixed = plan({{0, {3, 1, 0}}, {100, {1, 2, 2}}, {137, {0, 0, 1}, 2}});
  std::map<std::pair<std::size_t, std::uint64_t>, std::multiset<std::uint64_t>> epochs;
  std::vector<std::uint64_t> next(3, 0);
  for (std::uint64_t n = 0; n < 1500; ++n) {
    ASSERT_EQ(mixed.consumed(n), next);
    const SamplePlan::Sample sample = mixed.sample(n);
    ASSERT_EQ(sample.phase, n < 100 ? 0u : n < 137 ? 1u : 2u);
    ASSERT_EQ(sample.parts, n < 137 ? 1u : 2u);
    ASSERT_EQ(sample.index, next[sample.source]++);  // none lost, none twice
    ASSERT_EQ(sample.epoch, sample.index / kSources[sample.source].rows);
    epochs[{sample.source, sample.epoch}].insert(sample.row);
  }
  std::size_t whole = 0;
  for (const auto& [key, rows] : epochs) {
    const std::set<std::uint64_t> different(rows.begin(), rows.end());
    ASSERT_EQ(different.size(), rows.size());
    ASSERT_LT(*different.rbegin(), kSources[key.first].rows);
    whole += rows.size() == kSources[key.first].rows;
  }
  EXPECT_GT(whole, 40u);
}

TEST(SamplePlan, NaturalSharesVisitEveryRowOfAllSourcesOnceAnEpoch) {
  const SamplePlan natural = plan({{0, {70, 11, 30}}});
  ASSERT_EQ(natural.rows(), 111u);
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    std::set<std::uint64_t> ids;
    for (std::uint64_t n = 0; n < 111; ++n) ids.insert(natural.sample(epoch * 111 + n).row_id);
    EXPECT_EQ(ids.size(), 111u);
    EXPECT_EQ(*ids.rbegin(), 110u);
  }
}

TEST(SamplePlan, ALaterPhaseChangesNoEarlierSample) {
  const SamplePlan shorter = plan({{0, {3, 1, 0}}, {100, {1, 2, 2}}});
  const SamplePlan longer = plan({{0, {3, 1, 0}}, {100, {1, 2, 2}}, {500, {0, 1, 1}}});
  for (std::uint64_t n = 0; n < 500; ++n) {
    ASSERT_EQ(shorter.sample(n).row_id, longer.sample(n).row_id);
  }
  const SamplePlan fewer(7, true, {{70, 1}, {11, 1}}, {{0, {3, 1}}});
  for (std::uint64_t n = 0; n < 100; ++n) {  // a source that joins later changes none either
    ASSERT_EQ(fewer.sample(n).row_id, longer.sample(n).row_id);
  }
}

TEST(SamplePlan, SamplesOfAStepAreTheSameHoweverRanksShareThem) {
  const SamplePlan mixed = plan({{0, {3, 1, 0}}, {5000, {1, 2, 2}}});
  BatchSchedule batches(8);
  batches.change(300, 24);
  std::vector<std::uint64_t> all;
  for (std::uint64_t step = 0; step < 1000; ++step) {
    const auto sequences = static_cast<std::uint64_t>(batches.sequences(step));
    std::vector<std::uint64_t> alone;
    for (std::uint64_t i = 0; i < sequences; ++i) {
      alone.push_back(mixed.sample(batches.first_sample(step) + i).row_id);
    }
    for (const std::uint64_t ranks : {1u, 2u, 4u, 8u, 3u}) {
      if (sequences % ranks != 0) continue;
      std::vector<std::uint64_t> shared;
      for (std::uint64_t rank = 0; rank < ranks; ++rank) {
        for (std::uint64_t i = 0; i < sequences / ranks; ++i) {
          const std::uint64_t at = batches.first_sample(step) + rank * (sequences / ranks) + i;
          shared.push_back(mixed.sample(at).row_id);
        }
      }
      ASSERT_EQ(shared, alone) << step << " at " << ranks;
    }
    all.insert(all.end(), alone.begin(), alone.end());
  }
  for (std::uint64_t n = 0; n < all.size(); ++n) ASSERT_EQ(all[n], mixed.sample(n).row_id);
}

TEST(SamplePlan, TheOtherRowIsOfTheSameSource) {
  const SamplePlan mixed = plan({{0, {3, 1, 1}}});
  for (std::uint64_t n = 0; n < 400; ++n) {
    const auto sample = mixed.sample(n);
    const std::uint64_t other = mixed.other_row(n, sample);
    ASSERT_LT(other, kSources[sample.source].rows);
    ASSERT_NE(other, sample.row);
  }
}

TEST(SamplePlan, PhasesOutOfOrderAreRefused) {
  testing::expect_error(ExitCode::kInternal, "begins at sample 0", [] { plan({}); });
  testing::expect_error(ExitCode::kInternal, "begins at sample 0", [] { plan({{3, {1, 1, 1}}}); });
  testing::expect_error(ExitCode::kInternal, "weighs 2 of 3", [] { plan({{0, {1, 1}}}); });
  testing::expect_error(ExitCode::kInternal, "from sample 9 after one from 9", [] {
    plan({{0, {1, 1, 1}}, {9, {1, 0, 0}}, {9, {0, 1, 0}}});
  });
}

}  // namespace
}  // namespace pretrain
