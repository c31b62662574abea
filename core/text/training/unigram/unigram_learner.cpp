#include "core/text/training/unigram/unigram_learner.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/parallel_for.h"
#include "core/text/training/unigram/piece_lattice.h"

namespace pretrain {
namespace {

constexpr int kRoundsBetweenCuts = 2;
constexpr double kShare = 0.75;          // of the pieces that a cut leaves
constexpr double kSurplus = 1.1;         // of the wanted size, up to which pieces are cut by loss
constexpr double kFewestExpected = 0.5;  // pieces expected less often are dropped

// Logarithmic derivative of the gamma function, for x > 0: the recurrence up to 6, then the
// asymptotic series (Abramowitz and Stegun, 6.3.5 and 6.3.18).
double digamma(double x) {
  double shift = 0;
  for (; x < 6; x += 1) shift += 1 / x;
  const double square = 1 / (x * x);
  return std::log(x) - 0.5 / x - square * (1.0 / 12 - square * (1.0 / 120 - square / 252)) - shift;
}

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

class UnigramLearner {
 public:
  UnigramLearner(const WordCounts& counts, const UnigramLearning& options)
      : options_(options), lattice_(first_lattice(counts)) {}

  std::vector<ScoredPiece> run() {
    const auto enough = static_cast<std::size_t>(kSurplus * static_cast<double>(options_.pieces));
    while (true) {
      for (int round = 0; round < kRoundsBetweenCuts; ++round) {
        if (options_.progress) options_.progress(lattice_.size());
        maximize(lattice_.expected_counts(scores_));
      }
      const std::size_t size = lattice_.size();
      if (size <= enough) return best();
      cut(std::max(enough, static_cast<std::size_t>(kShare * static_cast<double>(size))));
    }
  }

 private:
  // Also sets the first scores.
  PieceLattice first_lattice(const WordCounts& counts) {
    FlatWords words = flatten_words(counts, options_.max_characters, PieceLattice::kMaxWordLength);
    const std::vector<std::uint32_t> order = sort_suffixes(words, PieceLattice::kMaxLength);
    const std::vector<SeedPiece> seeds = find_seed_pieces(
        words, order,
        {.max_length = PieceLattice::kMaxLength, .max_pieces = options_.max_seed_pieces});
    std::size_t characters = 0;
    for (const SeedPiece& seed : seeds) {
      scores_.push_back(static_cast<double>(seed.count) * seed.length);
      characters += seed.length == 1 ? 1 : 0;
    }
    if (characters > options_.pieces) {
      fail(ExitCode::kUsage, "--vocab leaves room for ", options_.pieces,
           " pieces, and the text has ", characters, " different characters. Raise --vocab by ",
           characters - options_.pieces, ", or keep the most frequent characters: --alphabet N");
    }
    const double log_sum = std::log(sum_of(scores_));
    for (double& score : scores_) score = std::log(score) - log_sum;
    return PieceLattice(std::move(words), order, seeds, options_.threads);
  }

  bool is_character(std::size_t piece) const {
    return lattice_.length(static_cast<std::uint32_t>(piece)) == 1;
  }

  // Drops what is hardly expected, and sets the scores of the rest.
  void maximize(const std::vector<double>& expected) {
    std::vector<bool> keep(expected.size());
    double sum = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      keep[i] = expected[i] >= kFewestExpected || is_character(i);
      if (keep[i]) sum += std::max(expected[i], kFewestExpected);
    }
    const double log_sum = digamma(sum);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (keep[i]) scores_[i] = digamma(std::max(expected[i], kFewestExpected)) - log_sum;
    }
    keep_only(keep);
  }

  void keep_only(const std::vector<bool>& keep) {
    std::vector<std::uint32_t> new_ids(keep.size(), PieceLattice::kRemoved);
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < keep.size(); ++i) {
      if (!keep[i]) continue;
      scores_[next] = scores_[i];
      new_ids[i] = next++;
    }
    scores_.resize(next);
    lattice_.renumber(new_ids);
  }

  // Removes pieces until `size` are left: those whose replacement by their best parts costs the
  // least likelihood.
  void cut(std::size_t size) {
    const std::vector<double> counts = lattice_.best_counts(scores_);
    const double sum = sum_of(counts);
    std::vector<double> losses(counts.size());
    parallel_for(kPieceParts, options_.threads, [&](std::size_t part) {
      const std::size_t end = counts.size() * (part + 1) / kPieceParts;
      for (std::size_t i = counts.size() * part / kPieceParts; i < end; ++i) {
        losses[i] = loss_of(static_cast<std::uint32_t>(i), counts, sum);
      }
    });
    std::vector<std::uint32_t> order(counts.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return losses[a] != losses[b] ? losses[a] > losses[b] : a < b;
    });
    std::vector<bool> keep(counts.size(), false);
    for (std::size_t i = 0; i < order.size(); ++i) {
      keep[order[i]] = i < size || is_character(order[i]);
    }
    keep_only(keep);
  }

  double loss_of(std::uint32_t piece, const std::vector<double>& counts, double sum) const {
    if (is_character(piece)) return HUGE_VAL;
    const double count = counts[piece];
    if (count == 0) return -HUGE_VAL;
    const std::vector<std::uint32_t> parts = lattice_.best_parts(piece, scores_);
    const double new_sum = sum + count * (static_cast<double>(parts.size()) - 1);
    double parts_score = 0;
    for (const std::uint32_t part : parts) {
      parts_score += std::log(counts[part] + count) - std::log(new_sum);
    }
    return count * (std::log(count) - std::log(sum) - parts_score);
  }

  std::vector<ScoredPiece> best() const {
    std::vector<ScoredPiece> characters;
    std::vector<ScoredPiece> longer;
    for (std::uint32_t i = 0; i < lattice_.size(); ++i) {
      (is_character(i) ? characters : longer).push_back({lattice_.text(i), scores_[i]});
    }
    const auto comes_first = [](const ScoredPiece& a, const ScoredPiece& b) {
      return a.score != b.score ? a.score > b.score : a.text < b.text;
    };
    std::sort(longer.begin(), longer.end(), comes_first);
    longer.resize(std::min(longer.size(), options_.pieces - characters.size()));
    longer.insert(longer.end(), characters.begin(), characters.end());
    std::sort(longer.begin(), longer.end(), comes_first);
    return longer;
  }

  static constexpr std::size_t kPieceParts = 64;
  const UnigramLearning& options_;
  std::vector<double> scores_;  // by piece; before lattice_, which sets it
  PieceLattice lattice_;
};

}  // namespace

std::vector<ScoredPiece> learn_unigram(const WordCounts& counts, const UnigramLearning& options) {
  return UnigramLearner(counts, options).run();
}

}  // namespace pretrain
