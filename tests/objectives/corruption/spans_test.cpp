#include "objectives/corruption/spans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <vector>

#include "tests/testing/statistics.h"

namespace pretrain {
namespace {

RandomStream stream_of(std::uint64_t id) { return {22, RandomPurpose::kTest, id}; }

std::int64_t covered_by(const std::vector<Span1d>& spans) {
  std::int64_t covered = 0;
  for (const Span1d& span : spans) covered += span.end - span.begin;
  return covered;
}

// At least `gap` tokens between neighbours, all within the text.
void expect_apart(const std::vector<Span1d>& spans, std::int64_t length, std::int64_t gap) {
  for (std::size_t i = 0; i < spans.size(); ++i) {
    ASSERT_GE(spans[i].begin, i == 0 ? 0 : spans[i - 1].end + gap);
    ASSERT_GE(spans[i].end, spans[i].begin);
  }
  ASSERT_LE(spans.back().end, length);
}

TEST(Spans, CountsFollowTheirFormula) {
  for (const double density : {0.0, 0.01, 0.15, 0.3, 0.5, 0.95}) {
    for (const double mean_span : {1.0, 3.0, 10.0}) {
      for (std::int64_t length = 2; length <= 1000; ++length) {
        const SpanCounts counts = span_counts(length, density, mean_span);
        ASSERT_GE(counts.noise, 1);
        ASSERT_LE(counts.noise, length - 1);
        ASSERT_GE(counts.spans, 1);
        ASSERT_LE(counts.spans, counts.noise);
        ASSERT_LE(counts.spans, length - counts.noise);
        ASSERT_NEAR(static_cast<double>(counts.noise), density * static_cast<double>(length), 1.0);
        if (density <= 0.5 && mean_span > 1) {
          ASSERT_NEAR(static_cast<double>(counts.spans),
                      static_cast<double>(counts.noise) / mean_span, 1.0);
        }
        ASSERT_EQ(counts.input_length(length) + counts.target_length(), length + 2 * counts.spans);
        ASSERT_EQ(counts.target_length(), counts.noise + counts.spans);
      }
    }
  }
}

// Sums over all lengths L of L^2 noise and L^2 spans, by NumPy from the formula of T5's code:
//   noise = round(float32(L) * float32(density)) within [1, L - 1],
//   spans = max(1, round(float32(noise) / float32(mean_span))), with halves to even;
// spans also at most the kept and at most the noise tokens.
TEST(Spans, CountsAreThoseOfTheReference) {
  const std::vector<std::tuple<double, double, std::int64_t, std::int64_t>> expected{
      {0.15, 3, 37578301713, 12528726984},
      {0.15, 2.5, 37578301713, 15032381684},
      {0.5, 3, 125250375000, 41750348779},
      {0.25, 10, 62625437504, 6263397659},
      {0.3, 4, 75156193050, 18788468645}};
  for (const auto& [density, mean_span, noise, spans] : expected) {
    std::int64_t noise_sum = 0, spans_sum = 0;
    for (std::int64_t length = 2; length <= 1000; ++length) {
      const SpanCounts counts = span_counts(length, density, mean_span);
      noise_sum += length * length * counts.noise;
      spans_sum += length * length * counts.spans;
    }
    EXPECT_EQ(noise_sum, noise) << density;
    EXPECT_EQ(spans_sum, spans) << density << " " << mean_span;
  }
  const std::map<std::int64_t, std::int64_t> halves{{10, 2},   {30, 4},   {50, 8},   {70, 10},
                                                    {90, 14},  {110, 16}, {150, 22}, {170, 26},
                                                    {190, 29}, {210, 32}, {230, 34}};
  for (const auto& [length, noise] : halves) {
    EXPECT_EQ(span_counts(length, 0.15, 3).noise, noise) << length;
  }
}

TEST(Spans, ATextFillsTheSequence) {
  EXPECT_EQ(text_length(512, 0.15, 3), 568);
  const SpanCounts counts = span_counts(568, 0.15, 3);
  EXPECT_EQ(counts.input_length(568) + 1, 512);
  EXPECT_EQ(counts.target_length() + 1, 114);
  for (const double density : {0.0, 0.15, 0.5}) {
    for (std::int64_t sequence = 3; sequence <= 300; ++sequence) {
      const std::int64_t length = text_length(sequence, density, 3);
      const auto filled = [&](std::int64_t text) {
        return span_counts(text, density, 3).input_length(text) + 1;
      };
      ASSERT_LE(filled(length), sequence);
      ASSERT_GT(filled(length + 1), sequence);
    }
  }
}

TEST(Spans, DrawnSpansHaveTheirCounts) {
  for (const double density : {0.01, 0.15, 0.5, 0.95}) {
    for (const double mean_span : {1.0, 3.0}) {
      for (std::int64_t length = 2; length <= 300; ++length) {
        const SpanCounts counts = span_counts(length, density, mean_span);
        RandomStream random = stream_of(static_cast<std::uint64_t>(length));
        const auto spans = draw_spans(length, counts, random);
        ASSERT_EQ(std::ssize(spans), counts.spans);
        ASSERT_EQ(covered_by(spans), counts.noise);
        ASSERT_GE(spans.front().begin, 1) << "starts with a kept token";
        ASSERT_EQ(spans.back().end, length);
        for (const Span1d& span : spans) ASSERT_GT(span.end, span.begin);
        expect_apart(spans, length, 1);
      }
    }
  }
}

// 4 tokens in 2 parts and 6 in 2: 3 x 5 ways; 5 in 3 and 4 in 3: 6 x 3.
TEST(Spans, EveryCompositionIsEquallyLikely) {
  for (const auto& [length, counts, ways] :
       {std::tuple{10, SpanCounts{4, 2}, 15}, std::tuple{9, SpanCounts{5, 3}, 18}}) {
    std::map<std::vector<std::int64_t>, std::int64_t> found;
    for (std::uint64_t draw = 0; draw < 40000; ++draw) {
      RandomStream random = stream_of(draw);
      std::vector<std::int64_t> ends;
      for (const Span1d& span : draw_spans(length, counts, random)) {
        ends.insert(ends.end(), {span.begin, span.end});
      }
      ++found[ends];
    }
    ASSERT_EQ(std::ssize(found), ways);
    std::vector<std::int64_t> tally;
    for (const auto& [ends, count] : found) tally.push_back(count);
    testing::expect_uniform(tally, "compositions");
  }
}

TEST(Spans, IndependentTokensHaveTheirShare) {
  constexpr std::int64_t kLength = 1000000;
  RandomStream random = stream_of(0);
  const auto spans = draw_independent(kLength, 0.15, random);
  testing::expect_share(covered_by(spans), kLength, 0.15);
  expect_apart(spans, kLength, 1);
  std::vector<std::int64_t> lengths(4);  // 1, 2, 3, longer
  for (const Span1d& span : spans) {
    ++lengths[static_cast<std::size_t>(std::min<std::int64_t>(span.end - span.begin, 4) - 1)];
  }
  testing::expect_distribution(lengths, {0.85, 0.85 * 0.15, 0.85 * 0.0225, 0.003375}, "lengths");
}

TEST(Spans, OneTokenAtLeastIsDrawn) {
  std::vector<std::int64_t> places(8);
  for (std::uint64_t draw = 0; draw < 8000; ++draw) {
    RandomStream random = stream_of(draw);
    const auto spans = draw_independent(8, 0, random);
    ASSERT_EQ(spans.size(), 1u);
    ASSERT_EQ(covered_by(spans), 1);
    ++places[static_cast<std::size_t>(spans[0].begin)];
  }
  testing::expect_uniform(places, "places");
}

TEST(Spans, InfillingLengthsArePoisson) {
  constexpr std::int64_t kLength = 1000000;
  constexpr double kMean = 3;
  RandomStream random = stream_of(1);
  auto spans = draw_infilling(kLength, 0.3, kMean, random);
  expect_apart(spans, kLength, 1);
  EXPECT_EQ(covered_by(spans), 300000);
  spans.pop_back();  // cut to what was left
  testing::expect_mean(static_cast<double>(covered_by(spans)), std::ssize(spans), kMean, kMean);
  std::vector<std::int64_t> counts(10);
  for (const Span1d& span : spans) {
    ++counts[static_cast<std::size_t>(std::min<std::int64_t>(span.end - span.begin, 9))];
  }
  std::vector<double> expected;
  double rest = 1;
  for (int k = 0; k < 9; ++k) {
    expected.push_back(std::exp(-kMean) * std::pow(kMean, k) / std::tgamma(k + 1));
    rest -= expected.back();
  }
  expected.push_back(rest);
  testing::expect_distribution(counts, expected, "lengths");
}

// Short texts and high densities leave little room between spans.
TEST(Spans, LongInfillingLengthsKeepTheirMean) {
  for (const double mean : {400.0, 900.0, 5000.0}) {
    RandomStream random = stream_of(2);
    auto spans = draw_infilling(2000000, 0.5, mean, random);
    spans.pop_back();  // cut to what was left
    testing::expect_mean(static_cast<double>(covered_by(spans)), std::ssize(spans), mean, mean);
  }
}

TEST(Spans, InfillingNeverOverlaps) {
  for (const double density : {0.0, 0.15, 0.5, 0.95}) {
    for (const double mean_span : {1.0, 3.0}) {
      for (std::int64_t length = 2; length <= 24; ++length) {
        const auto wanted = std::clamp<std::int64_t>(
            std::llround(density * static_cast<double>(length)), 1, length - 1);
        for (std::uint64_t draw = 0; draw < 300; ++draw) {
          RandomStream random = stream_of(draw);
          const auto spans = draw_infilling(length, density, mean_span, random);
          ASSERT_FALSE(spans.empty());
          expect_apart(spans, length, 1);
          ASSERT_EQ(covered_by(spans), wanted);
        }
      }
    }
  }
}

// 6 tokens and a span of 2: it begins at each of 5 places.
TEST(Spans, InfillingPlacesAreEquallyLikely) {
  std::vector<std::int64_t> places(5);
  for (std::uint64_t draw = 0; draw < 40000; ++draw) {
    RandomStream random = stream_of(draw);
    const auto spans = draw_infilling(6, 0.3, 3, random);
    if (spans.size() == 1 && covered_by(spans) == 2) {
      ++places[static_cast<std::size_t>(spans[0].begin)];
    }
  }
  testing::expect_uniform(places, "places");
}

}  // namespace
}  // namespace pretrain
