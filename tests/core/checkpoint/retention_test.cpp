#include "core/checkpoint/retention.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/random.h"

namespace pretrain {
namespace {

TEST(CheckpointName, OnlyExactNamesAreNames) {
  for (const CheckpointName name : {CheckpointName{0, 0}, CheckpointName{0, 12345678},
                                    CheckpointName{3, 123456789}, CheckpointName{12, 1}}) {
    EXPECT_EQ(parse_checkpoint_name(to_string(name)), name) << to_string(name);
  }
  EXPECT_EQ(to_string(CheckpointName{0, 1000}), "step-00001000");
  EXPECT_EQ(to_string(CheckpointName{2, 1000}), "step-00001000.l2");
  for (const char* text :
       {"", "step-", "step-1000", "step-000001000", "step-00001000 ", "step-00001000.l0",
        "step-00001000.l", "step-00001000.l02", "step--0001000", "step-+0001000",
        "step-00001000.l-1", "step-99999999999999999999", "Step-00001000", "step-00001000.bak"}) {
    EXPECT_EQ(parse_checkpoint_name(text), std::nullopt) << text;
  }
  EXPECT_LT((CheckpointName{0, 9000}), (CheckpointName{1, 10}));
}

TEST(Retention, BestIsTheLowestLossAndTheNewerOfEquals) {
  EXPECT_EQ(best_checkpoint({}), std::nullopt);
  EXPECT_EQ(best_checkpoint({{{0, 1}, std::nullopt}}), std::nullopt);
  EXPECT_EQ(best_checkpoint({{{0, 3}, 2.0}, {{0, 2}, 1.0}, {{0, 1}, 1.0}, {{0, 4}, std::nullopt}}),
            (CheckpointName{0, 2}));
}

TEST(Retention, EachRuleKeepsWhatItNames) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    RandomStream random(seed, RandomPurpose::kTest, 41);
    std::vector<RetentionCandidate> candidates;
    const std::uint64_t count = random.below(12);
    for (std::uint64_t step = 1; step <= count; ++step) {
      RetentionCandidate candidate{{random.below(3), step}, std::nullopt};
      if (random.below(3) > 0) candidate.loss = static_cast<double>(random.below(5));
      candidates.push_back(candidate);
    }
    RetentionRules rules;
    rules.keep_last = static_cast<std::int64_t>(2 + random.below(3));
    rules.keep_best = static_cast<std::int64_t>(random.below(3));
    rules.keep_every_steps = random.below(2) * 5;
    const auto victims = retention_victims(candidates, rules);
    const auto goes = [&](const CheckpointName& name) {
      return std::find(victims.begin(), victims.end(), name) != victims.end();
    };
    for (const RetentionCandidate& candidate : candidates) {
      const auto newer = std::count_if(candidates.begin(), candidates.end(),
                                       [&](const auto& c) { return c.name > candidate.name; });
      const auto better = std::count_if(candidates.begin(), candidates.end(), [&](const auto& c) {
        return candidate.loss && c.loss &&
               (*c.loss < *candidate.loss ||
                (*c.loss == *candidate.loss && c.name > candidate.name));
      });
      const bool stays =
          newer < rules.keep_last || (candidate.loss && better < rules.keep_best) ||
          (rules.keep_every_steps > 0 && candidate.name.step % rules.keep_every_steps == 0);
      EXPECT_EQ(goes(candidate.name), !stays) << to_string(candidate.name);
    }
  }
}

}  // namespace
}  // namespace pretrain
