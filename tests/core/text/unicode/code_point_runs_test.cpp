#include "core/text/unicode/code_point_runs.h"

#include <gtest/gtest.h>

namespace pretrain {
namespace {

TEST(CodePointRuns, ALetterAndALength) {
  EXPECT_EQ(expand_code_point_runs("A3BC12A"),
            (std::vector<std::uint8_t>{0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0}));
  EXPECT_TRUE(expand_code_point_runs("").empty());
}

}  // namespace
}  // namespace pretrain
