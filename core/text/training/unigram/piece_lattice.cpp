#include "core/text/training/unigram/piece_lattice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/parallel_for.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr std::uint32_t kLengthBits = 4;
constexpr std::uint32_t kLengthMask = (1U << kLengthBits) - 1;
constexpr std::size_t kParts = 16;  // of the words, for sums
constexpr double kNever = -std::numeric_limits<double>::infinity();

std::uint32_t piece_of(std::uint32_t edge) { return edge >> kLengthBits; }
std::uint32_t length_of(std::uint32_t edge) { return (edge & kLengthMask) + 1; }

}  // namespace

// The best way to cut a stretch of text: pieces from its end to its begin.
struct PieceLattice::Way {
  std::vector<std::uint32_t> pieces;
};

PieceLattice::PieceLattice(FlatWords words, const std::vector<std::uint32_t>& order,
                           const std::vector<SeedPiece>& pieces, unsigned threads)
    : words_(std::move(words)), threads_(threads), edge_begins_(words_.characters.size() + 1, 0) {
  std::uint64_t edges = 0;
  for (const SeedPiece& piece : pieces) edges += piece.end - piece.begin;
  if (edges >= UINT32_MAX || pieces.size() >= std::size_t{1} << (32 - kLengthBits)) {
    fail(ExitCode::kBadData, "the different words of the text have ", edges,
         " places where pieces stand, expected fewer than 2^32. Train on less text");
  }
  const auto for_each_place = [&](const auto& use) {
    for (std::uint32_t id = 0; id < pieces.size(); ++id) {
      for (std::uint32_t i = pieces[id].begin; i < pieces[id].end; ++i) use(order[i], id);
    }
  };
  for_each_place([&](std::uint32_t place, std::uint32_t) { ++edge_begins_[place + 1]; });
  for (std::size_t i = 1; i < edge_begins_.size(); ++i) edge_begins_[i] += edge_begins_[i - 1];
  edges_.resize(edges);
  std::vector<std::uint32_t> next(edge_begins_.begin(), edge_begins_.end() - 1);
  for_each_place([&](std::uint32_t place, std::uint32_t id) {
    edges_[next[place]++] = id << kLengthBits | (pieces[id].length - 1);
  });
  for (const SeedPiece& piece : pieces) {
    places_.push_back(order[piece.begin]);
    lengths_.push_back(static_cast<std::uint8_t>(piece.length));
  }
}

std::string PieceLattice::text(std::uint32_t piece) const {
  std::string text;
  for (std::size_t i = 0; i < lengths_[piece]; ++i) {
    append_utf8(words_.characters[places_[piece] + i], text);
  }
  return text;
}

// use(word, sums) for all words; one vector of sums, by piece, for each part of the words.
template <class Use>
std::vector<double> PieceLattice::sum_over_words(const Use& use) const {
  const std::size_t words = words_.weights.size();
  std::vector<std::vector<double>> sums(kParts);
  parallel_for(kParts, threads_, [&](std::size_t part) {
    sums[part].assign(size(), 0);
    for (std::size_t word = words * part / kParts; word < words * (part + 1) / kParts; ++word) {
      use(word, sums[part]);
    }
  });
  for (std::size_t part = 1; part < kParts; ++part) {
    for (std::size_t i = 0; i < size(); ++i) sums[0][i] += sums[part][i];
  }
  return std::move(sums[0]);
}

std::vector<double> PieceLattice::expected_counts(const std::vector<double>& scores) const {
  std::vector<double> probabilities(scores.size());
  std::transform(scores.begin(), scores.end(), probabilities.begin(),
                 [](double score) { return std::exp(score); });
  return sum_over_words([&](std::size_t word, std::vector<double>& sums) {
    const std::uint32_t begin = words_.begins[word];
    const std::uint32_t length = words_.begins[word + 1] - begin;
    // Probability of all ways from the begin of the word to here, and from here to its end.
    std::array<double, kMaxWordLength + 1> to_here{1};
    std::array<double, kMaxWordLength + 1> from_here{};
    for (std::uint32_t i = 0; i < length; ++i) {
      const double before = to_here[i];
      for (std::uint32_t e = edge_begins_[begin + i]; e < edge_begins_[begin + i + 1]; ++e) {
        to_here[i + length_of(edges_[e])] += before * probabilities[piece_of(edges_[e])];
      }
    }
    if (!(to_here[length] > 0)) return;  // too improbable for a double
    const double share = static_cast<double>(words_.weights[word]) / to_here[length];
    from_here[length] = 1;
    for (std::uint32_t i = length; i-- > 0;) {
      for (std::uint32_t e = edge_begins_[begin + i]; e < edge_begins_[begin + i + 1]; ++e) {
        const std::uint32_t piece = piece_of(edges_[e]);
        const double behind = probabilities[piece] * from_here[i + length_of(edges_[e])];
        from_here[i] += behind;
        sums[piece] += share * to_here[i] * behind;
      }
    }
  });
}

// Cuts [begin, end) of the text, without the piece `without`.
void PieceLattice::find_way(std::uint32_t begin, std::uint32_t end,
                            const std::vector<double>& scores, std::uint32_t without,
                            Way& way) const {
  const std::uint32_t length = end - begin;
  std::array<double, kMaxWordLength + 1> best;
  std::array<std::uint32_t, kMaxWordLength + 1> last;
  best.fill(kNever);
  best[0] = 0;
  for (std::uint32_t i = 0; i < length; ++i) {
    if (best[i] == kNever) continue;
    for (std::uint32_t e = edge_begins_[begin + i]; e < edge_begins_[begin + i + 1]; ++e) {
      const std::uint32_t to = i + length_of(edges_[e]);
      if (to > length || piece_of(edges_[e]) == without) continue;
      const double score = best[i] + scores[piece_of(edges_[e])];
      if (score <= best[to]) continue;
      best[to] = score;
      last[to] = edges_[e];
    }
  }
  way.pieces.clear();
  if (best[length] == kNever) return;
  for (std::uint32_t at = length; at > 0; at -= length_of(last[at])) {
    way.pieces.push_back(piece_of(last[at]));
  }
}

std::vector<double> PieceLattice::best_counts(const std::vector<double>& scores) const {
  return sum_over_words([&](std::size_t word, std::vector<double>& sums) {
    Way way;
    find_way(words_.begins[word], words_.begins[word + 1], scores, kRemoved, way);
    for (const std::uint32_t piece : way.pieces) {
      sums[piece] += static_cast<double>(words_.weights[word]);
    }
  });
}

std::vector<std::uint32_t> PieceLattice::best_parts(std::uint32_t piece,
                                                    const std::vector<double>& scores) const {
  Way way;
  find_way(places_[piece], places_[piece] + lengths_[piece], scores, piece, way);
  return std::move(way.pieces);
}

void PieceLattice::renumber(const std::vector<std::uint32_t>& new_ids) {
  std::uint32_t kept = 0;
  for (std::size_t place = 0; place + 1 < edge_begins_.size(); ++place) {
    const std::uint32_t begin = edge_begins_[place];
    const std::uint32_t end = edge_begins_[place + 1];
    edge_begins_[place] = kept;
    for (std::uint32_t e = begin; e < end; ++e) {
      const std::uint32_t id = new_ids[piece_of(edges_[e])];
      if (id != kRemoved) edges_[kept++] = id << kLengthBits | (edges_[e] & kLengthMask);
    }
  }
  edge_begins_.back() = kept;
  edges_.resize(kept);
  std::size_t pieces = 0;
  for (std::size_t i = 0; i < new_ids.size(); ++i) {
    if (new_ids[i] == kRemoved) continue;
    places_[pieces] = places_[i];
    lengths_[pieces++] = lengths_[i];
  }
  places_.resize(pieces);
  lengths_.resize(pieces);
}

}  // namespace pretrain
