#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/text/training/unigram/seed_pieces.h"

namespace pretrain {

/// All ways to cut the words of a text into pieces: at each place the pieces that begin there,
/// found once from the sorted suffixes, so that training never looks a piece up. Takes 4 bytes for
/// each place of each piece. Functions that count are parallel inside; their sums are made in fixed
/// parts in a fixed order, so the result does not depend on the number of threads.
class PieceLattice {
 public:
  static constexpr std::uint32_t kRemoved = UINT32_MAX;
  static constexpr std::size_t kMaxLength = 16;      ///< characters of a piece
  static constexpr std::size_t kMaxWordLength = 32;  ///< characters of a word

  /// `words`: flatten_words(..., kMaxWordLength). Pieces get the ids 0, 1, ... Throws kBadData for
  /// 2^28 pieces or 2^32 places of pieces and more.
  PieceLattice(FlatWords words, const std::vector<std::uint32_t>& order,
               const std::vector<SeedPiece>& pieces, unsigned threads);

  std::size_t size() const { return places_.size(); }
  std::size_t length(std::uint32_t piece) const { return lengths_[piece]; }  ///< characters
  std::string text(std::uint32_t piece) const;

  /// Expected number of each piece in the text, if a word is cut in all ways with the probability
  /// of the way: the product over its pieces of exp(scores[piece]). Forward-backward.
  std::vector<double> expected_counts(const std::vector<double>& scores) const;
  /// Number of each piece in the text if each word is cut in its most probable way. Viterbi.
  std::vector<double> best_counts(const std::vector<double>& scores) const;
  /// The most probable way to cut `piece` into two or more others; empty: there is none.
  std::vector<std::uint32_t> best_parts(std::uint32_t piece,
                                        const std::vector<double>& scores) const;

  /// Piece i becomes new_ids[i], or goes if that is kRemoved. New ids are 0, 1, ... in the order of
  /// the old ones.
  void renumber(const std::vector<std::uint32_t>& new_ids);

 private:
  struct Way;
  template <class Use>
  std::vector<double> sum_over_words(const Use& use) const;
  void find_way(std::uint32_t begin, std::uint32_t end, const std::vector<double>& scores,
                std::uint32_t without, Way& way) const;

  FlatWords words_;
  unsigned threads_;
  std::vector<std::uint32_t> edge_begins_;  // by place, and the end of the last
  std::vector<std::uint32_t> edges_;        // piece << 4 | length - 1
  std::vector<std::uint32_t> places_;       // one of each piece
  std::vector<std::uint8_t> lengths_;
};

}  // namespace pretrain
