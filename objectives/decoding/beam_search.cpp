#include "objectives/decoding/beam_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pretrain {
namespace {

struct Beam {
  DecoderState state;
  Hypothesis text;
  std::vector<double> next;  // log-probability of each next token
};

struct Candidate {
  std::size_t beam;
  std::int64_t token;
  double log_probability;  // of the whole text with it
};

// The best 2 n continuations: enough to keep n open even if n of them end.
std::vector<Candidate> best_continuations(const std::vector<Beam>& beams, std::size_t n) {
  std::vector<Candidate> all;
  for (std::size_t b = 0; b < beams.size(); ++b) {
    std::vector<std::int64_t> ids(beams[b].next.size());
    std::iota(ids.begin(), ids.end(), 0);
    const std::size_t count = std::min(2 * n, ids.size());
    std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(),
                      [&](std::int64_t x, std::int64_t y) {
                        const double left = beams[b].next[static_cast<std::size_t>(x)];
                        const double right = beams[b].next[static_cast<std::size_t>(y)];
                        return left != right ? left > right : x < y;
                      });
    for (std::size_t i = 0; i < count; ++i) {
      const double log = beams[b].next[static_cast<std::size_t>(ids[i])];
      all.push_back({b, ids[i], beams[b].text.log_probability + log});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
    return a.log_probability > b.log_probability;
  });
  all.resize(std::min(all.size(), 2 * n));
  return all;
}

}  // namespace

double Hypothesis::score(double penalty) const {
  const double length = static_cast<double>(tokens.size()) + (ended ? 1 : 0);
  return log_probability / std::pow(std::max(length, 1.0), penalty);
}

std::vector<Hypothesis> beam_search(const DecoderState& start,
                                    const std::vector<std::int64_t>& first,
                                    const BeamOptions& options) {
  const auto n = static_cast<std::size_t>(options.beams);
  const auto better = [&](const Hypothesis& a, const Hypothesis& b) {
    return a.score(options.length_penalty) > b.score(options.length_penalty);
  };
  std::vector<Beam> open{{start, {}, {}}};
  open[0].next = log_probabilities(open[0].state.read(first));
  std::vector<Hypothesis> ended;
  for (std::int64_t step = 0; step < options.tokens && !open.empty(); ++step) {
    std::vector<Beam> next;
    for (const Candidate& candidate : best_continuations(open, n)) {
      if (next.size() == n) break;
      Hypothesis text = open[candidate.beam].text;
      text.log_probability = candidate.log_probability;
      if (candidate.token == options.stop_id) {
        text.ended = true;
        ended.push_back(text);
        continue;
      }
      text.tokens.push_back(candidate.token);
      next.push_back({open[candidate.beam].state, text, {}});
    }
    std::stable_sort(ended.begin(), ended.end(), better);
    if (ended.size() > n) ended.resize(n);
    if (ended.size() == n && !next.empty() && !better(next.front().text, ended.back())) {
      next.clear();
    }
    if (step + 1 < options.tokens) {
      for (Beam& beam : next)
        beam.next = log_probabilities(beam.state.read({beam.text.tokens.back()}));
    }
    open = std::move(next);
  }
  for (const Beam& beam : open) ended.push_back(beam.text);
  std::stable_sort(ended.begin(), ended.end(), better);
  if (ended.size() > n) ended.resize(n);
  return ended;
}

}  // namespace pretrain
