#include "core/text/training/unigram/seed_pieces.h"

#include <algorithm>

namespace pretrain {
namespace {

// Walks the tree of the suffixes (its inner nodes are the runs of suffixes with a common prefix)
// along the common prefixes of neighbours, with the open nodes on a stack.
class Finder {
 public:
  Finder(const FlatWords& words, const std::vector<std::uint32_t>& order,
         const SeedOptions& options)
      : words_(words), order_(order), options_(options), weight_before_(order.size() + 1, 0) {
    std::vector<std::uint64_t> weight_at(words.characters.size());
    for (std::size_t word = 0; word < words.weights.size(); ++word) {
      std::fill(weight_at.begin() + words.begins[word], weight_at.begin() + words.begins[word + 1],
                words.weights[word]);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
      weight_before_[i + 1] = weight_before_[i] + weight_at[order[i]];
    }
  }

  std::vector<SeedPiece> run() {
    const auto size = static_cast<std::uint32_t>(order_.size());
    std::uint32_t common_before = 0;
    for (std::uint32_t i = 0; i < size; ++i) {
      const auto common = i + 1 == size
                              ? 0
                              : static_cast<std::uint32_t>(common_prefix(
                                    words_, order_[i], order_[i + 1], options_.max_length));
      add_leaf(i, std::max(common_before, common));
      std::uint32_t begin = i;
      while (!open_.empty() && open_.back().length > common) {
        begin = open_.back().begin;
        close(i + 1);
      }
      if (common > 0 && (open_.empty() || open_.back().length < common)) {
        open_.push_back({.begin = begin, .length = common});
      }
      // Characters are nodes even where a longer piece stands in the same places.
      if (common == 0) close_character(i + 1);
      common_before = common;
    }
    return ordered();
  }

 private:
  std::uint64_t weight(std::uint32_t begin, std::uint32_t end) const {
    return weight_before_[end] - weight_before_[begin];
  }

  void close(std::uint32_t end) {
    SeedPiece piece = open_.back();
    open_.pop_back();
    piece.end = end;
    piece.count = weight(piece.begin, end);
    if (piece.length > 1) longer_.push_back(piece);
  }

  // All suffixes since the last such call begin with one character.
  void close_character(std::uint32_t end) {
    characters_.push_back({.begin = character_begin_,
                           .end = end,
                           .length = 1,
                           .count = weight(character_begin_, end)});
    character_begin_ = end;
  }

  // A suffix that has more characters than it shares with others: a piece to the end of its word.
  void add_leaf(std::uint32_t i, std::uint32_t shared) {
    const std::uint32_t length = words_.ends[order_[i]] - order_[i];
    if (length <= shared || length < 2 || length > options_.max_length) return;
    const SeedPiece piece{.begin = i, .end = i + 1, .length = length, .count = weight(i, i + 1)};
    if (piece.count > 1) longer_.push_back(piece);
  }

  std::vector<SeedPiece> ordered() {
    const auto comes_first = [](const SeedPiece& a, const SeedPiece& b) {
      const std::uint64_t score_a = a.count * a.length;
      const std::uint64_t score_b = b.count * b.length;
      if (score_a != score_b) return score_a > score_b;
      return a.begin != b.begin ? a.begin < b.begin : a.length < b.length;
    };
    std::sort(longer_.begin(), longer_.end(), comes_first);
    if (longer_.size() > options_.max_pieces) longer_.resize(options_.max_pieces);
    std::vector<SeedPiece> all = std::move(characters_);
    all.insert(all.end(), longer_.begin(), longer_.end());
    return all;
  }

  const FlatWords& words_;
  const std::vector<std::uint32_t>& order_;
  SeedOptions options_;
  std::vector<std::uint64_t> weight_before_;  // of the first i suffixes
  std::vector<SeedPiece> open_;
  std::uint32_t character_begin_ = 0;
  std::vector<SeedPiece> characters_;
  std::vector<SeedPiece> longer_;
};

}  // namespace

std::vector<SeedPiece> find_seed_pieces(const FlatWords& words,
                                        const std::vector<std::uint32_t>& order,
                                        const SeedOptions& options) {
  return Finder(words, order, options).run();
}

}  // namespace pretrain
