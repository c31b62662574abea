#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pretrain {

class Corpus;

/// How rows are cut from a text: windows of `tokens`, the next one starting `overlap` tokens before
/// the end of the one before.
struct RowShape {
  std::int64_t tokens = 0;
  std::int64_t overlap = 0;
  std::int64_t marks = 0;  ///< positions that an objective adds to each sequence of a row
  bool pieces = false;     ///< rows may consist of several shorter sequences

  std::int64_t stride() const { return tokens - overlap; }
  /// Positions that a row fills in the network.
  std::int64_t capacity() const { return stride() + marks; }
};

/// Consecutive tokens of a corpus.
struct TokenPlace {
  const Corpus* corpus = nullptr;
  std::uint64_t first = 0;
  std::uint64_t tokens = 0;
};

/// Rows of tokens that can be read in any order. Immutable; safe to read from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  /// Number of rows.
  virtual std::uint64_t size() const = 0;
  /// Tokens of a row including the one that follows its last position; of rows that are not
  /// whole: the most.
  virtual std::size_t row_tokens() const = 0;
  /// Positions with text in all rows together.
  virtual std::uint64_t positions() const { return size() * row_tokens(); }
  /// True if every row is one sequence of row_tokens(), to be had from read(); otherwise each of
  /// its places() is a sequence.
  virtual bool is_whole() const { return true; }
  /// Neighbouring rows that are of similar length and should come together.
  virtual std::uint64_t group() const { return 1; }
  /// Writes row `index` (< size()) to out, which holds row_tokens() ids. Only of whole rows.
  virtual void read(std::uint64_t index, std::span<std::int64_t> out) const = 0;
  /// Where the tokens of a row stand, in order. Empty if they are of no corpus.
  virtual std::vector<TokenPlace> places(std::uint64_t index) const = 0;
};

}  // namespace pretrain
