#include "objectives/corruption/spans.h"

#include <algorithm>
#include <cmath>

namespace pretrain {
namespace {

// `items` cut into `parts` lengths >= 1, every composition equally likely.
std::vector<std::int64_t> cut(std::int64_t items, std::int64_t parts, RandomStream& random) {
  // Choose parts - 1 of the items - 1 places, one after another by its chance (Knuth's algorithm
  // S).
  std::vector<std::int64_t> lengths(1, 1);
  std::int64_t left = parts - 1;
  for (std::int64_t place = 1; place < items; ++place) {
    const auto places_left = static_cast<std::uint64_t>(items - place);
    if (random.below(places_left) < static_cast<std::uint64_t>(left)) {
      lengths.push_back(1);
      --left;
    } else {
      ++lengths.back();
    }
  }
  return lengths;
}

// By products of uniform draws (Knuth), whose limit must be a normal number: a large mean is drawn
// as a sum.
std::int64_t poisson(double mean, RandomStream& random) {
  constexpr double kMost = 500;
  if (mean > kMost) return poisson(kMost, random) + poisson(mean - kMost, random);
  const double limit = std::exp(-mean);
  std::int64_t count = 0;
  for (double product = random.uniform(); product > limit; product *= random.uniform()) ++count;
  return count;
}

}  // namespace

// In fp32 and with halves to even, as T5's code counts.
SpanCounts span_counts(std::int64_t length, double density, double mean_span) {
  SpanCounts counts;
  const auto rounded = [](float x) { return static_cast<std::int64_t>(std::nearbyint(x)); };
  counts.noise =
      std::clamp<std::int64_t>(rounded(static_cast<float>(length) * static_cast<float>(density)), 1,
                               std::max<std::int64_t>(1, length - 1));
  counts.spans = std::max<std::int64_t>(
      1, rounded(static_cast<float>(counts.noise) / static_cast<float>(mean_span)));
  counts.spans = std::min(counts.spans, std::max<std::int64_t>(1, length - counts.noise));
  counts.spans = std::min(counts.spans, counts.noise);
  return counts;
}

std::int64_t text_length(std::int64_t sequence_length, double density, double mean_span) {
  std::int64_t length = std::max<std::int64_t>(2, sequence_length - 1);
  while (span_counts(length + 1, density, mean_span).input_length(length + 1) + 1 <=
         sequence_length) {
    ++length;
  }
  return length;
}

std::vector<Span1d> draw_spans(std::int64_t length, const SpanCounts& counts,
                               RandomStream& random) {
  const auto noise = cut(counts.noise, counts.spans, random);
  const auto kept = cut(length - counts.noise, counts.spans, random);
  std::vector<Span1d> spans;
  std::int64_t at = 0;
  for (std::size_t i = 0; i < noise.size(); ++i) {
    at += kept[i];
    spans.push_back({at, at + noise[i]});
    at += noise[i];
  }
  return spans;
}

std::vector<Span1d> draw_independent(std::int64_t length, double density, RandomStream& random) {
  std::vector<Span1d> spans;
  for (std::int64_t at = 0; at < length; ++at) {
    if (random.uniform() >= density) continue;
    if (!spans.empty() && spans.back().end == at) {
      ++spans.back().end;
    } else {
      spans.push_back({at, at + 1});
    }
  }
  if (spans.empty()) {
    const auto at = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(length)));
    spans.push_back({at, at + 1});
  }
  return spans;
}

std::vector<Span1d> draw_infilling(std::int64_t length, double density, double mean_span,
                                   RandomStream& random) {
  const std::int64_t wanted =
      std::clamp<std::int64_t>(std::llround(density * static_cast<double>(length)), 1, length - 1);
  const std::int64_t most_spans = length - wanted + 1;  // a kept token between neighbours
  std::vector<std::int64_t> lengths;
  std::int64_t covered = 0;
  while (covered < wanted) {
    const std::int64_t left = wanted - covered;
    const bool last = std::ssize(lengths) + 1 == most_spans;
    lengths.push_back(last ? left : std::min(poisson(mean_span, random), left));
    covered += lengths.back();
  }
  // Distribute the kept tokens over the gaps: at least one between neighbours.
  const auto spans_count = static_cast<std::int64_t>(lengths.size());
  const std::int64_t kept = length - covered;
  const auto gaps = cut(kept + 2, spans_count + 1, random);  // the outer ones may be empty
  std::vector<Span1d> spans;
  std::int64_t at = gaps[0] - 1;
  for (std::int64_t i = 0; i < spans_count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    spans.push_back({at, at + lengths[index]});
    at += lengths[index] + gaps[index + 1];
  }
  return spans;
}

}  // namespace pretrain
