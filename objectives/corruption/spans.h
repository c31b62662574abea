#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/random.h"

namespace pretrain {

/// Half-open range of positions.
struct Span1d {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool operator==(const Span1d&) const = default;
};

/// T5's counts for a text of `length` tokens: noise = round(density x length) within [1, length -
/// 1], spans = max(1, round(noise / mean_span)), no more than there are kept tokens.
struct SpanCounts {
  std::int64_t noise = 0;
  std::int64_t spans = 0;
  /// Kept tokens and a sentinel a span; noise and a sentinel a span. Both without eos.
  std::int64_t input_length(std::int64_t length) const { return length - noise + spans; }
  std::int64_t target_length() const { return noise + spans; }
};
SpanCounts span_counts(std::int64_t length, double density, double mean_span);

/// Longest text whose corrupted form and its eos fill at most `sequence_length` positions.
std::int64_t text_length(std::int64_t sequence_length, double density, double mean_span);

/// T5's spans (Raffel et al. 2019): noise and kept tokens are each cut into `spans` parts uniformly
/// at random, and alternate, kept ones first. length >= 2.
std::vector<Span1d> draw_spans(std::int64_t length, const SpanCounts& counts, RandomStream& random);
/// Each position with probability `density`, neighbours joined; at least one.
std::vector<Span1d> draw_independent(std::int64_t length, double density, RandomStream& random);
/// BART's spans (Lewis et al. 2019): lengths of a Poisson distribution of mean `mean_span`, 0
/// allowed (an insertion), until round(density x length) tokens are covered, at least one; they
/// neither touch nor overlap.
std::vector<Span1d> draw_infilling(std::int64_t length, double density, double mean_span,
                                   RandomStream& random);

}  // namespace pretrain
