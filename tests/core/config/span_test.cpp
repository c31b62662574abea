#include "core/config/span.h"

#include <gtest/gtest.h>

namespace pretrain {
namespace {

TEST(SpanTest, TextIsTheYamlThatReadsBack) {
  EXPECT_EQ(to_string(Span{Span::Unit::kSteps, 100}), "{steps: 100}");
  EXPECT_EQ(to_string(Span{Span::Unit::kTokens, 1e15}), "{tokens: 1000000000000000}");
  EXPECT_EQ(to_string(Span{Span::Unit::kSamples, 5}), "{samples: 5}");
  EXPECT_EQ(to_string(Span{Span::Unit::kEpochs, 3}), "{epochs: 3.0}");
  EXPECT_EQ(to_string(Span{Span::Unit::kHours, 0.5}), "{hours: 0.5}");
  EXPECT_EQ(to_string(Span{Span::Unit::kFraction, 0.01}), "{fraction: 0.01}");
}

}  // namespace
}  // namespace pretrain
