#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/dataset.h"

namespace pretrain {

/// Token ranges of one or more corpora, joined into one sequence of positions 0, 1, 2, ... without
/// copying. About 24 bytes of memory a range. Immutable; safe to share between threads.
class TokenSequence {
 public:
  /// Appends the tokens of the documents `range`.
  void append(const std::shared_ptr<const Corpus>& corpus, DocumentRange range);
  std::uint64_t size() const { return pieces_.empty() ? 0 : pieces_.back().end; }
  /// out = the tokens from `position`; position + out.size() <= size(). Throws as
  /// Corpus::read_tokens does.
  void read(std::uint64_t position, std::span<std::int64_t> out) const;
  /// Where the `tokens` from `position` stand; within size() like read.
  std::vector<TokenPlace> places(std::uint64_t position, std::uint64_t tokens) const;

 private:
  // There are as many as held-out documents cut a split: they must be small.
  struct Piece {
    const Corpus* corpus;
    std::uint64_t first;  // position in the corpus
    std::uint64_t end;    // in the sequence; it begins where the piece before ends
  };
  using PieceIterator = std::vector<Piece>::const_iterator;
  PieceIterator piece_at(std::uint64_t position, std::uint64_t tokens) const;
  std::uint64_t begin_of(PieceIterator piece) const {
    return piece == pieces_.begin() ? 0 : std::prev(piece)->end;
  }
  std::vector<std::shared_ptr<const Corpus>> corpora_;
  std::vector<Piece> pieces_;
};

/// The documents of one split of a corpus.
struct CorpusSplit {
  std::shared_ptr<const Corpus> corpus;
  std::string split;
};

/// Throws kBadData unless all corpora have the same tokenizer and vocabulary. There must be one.
void check_same_tokenizer(const std::vector<std::shared_ptr<const Corpus>>& corpora);

/// Packed training rows: the documents of splits, of one corpus after the other, joined in order
/// and cut every `stride` tokens; a row also takes the `overlap` tokens behind it. Immutable; safe
/// to share between threads.
class TokenDataset : public Dataset {
 public:
  /// Throws kBadData if a corpus lacks the split, tokenizers differ, or there is not even
  /// one row; kBadConfig if stride is 0.
  TokenDataset(const std::vector<CorpusSplit>& sources, std::uint64_t stride,
               std::uint64_t overlap = 1);

  /// Number of rows: floor((tokens() - overlap) / stride).
  std::uint64_t size() const override { return (sequence_.size() - overlap_) / stride_; }
  std::size_t row_tokens() const override { return stride_ + overlap_; }
  std::uint64_t tokens() const { return sequence_.size(); }
  std::uint64_t positions() const override { return size() * stride_; }

  /// out [row_tokens()]
  void read(std::uint64_t row, std::span<std::int64_t> out) const override;
  std::vector<TokenPlace> places(std::uint64_t row) const override;

 private:
  TokenSequence sequence_;
  std::uint64_t stride_;
  std::uint64_t overlap_;
};

}  // namespace pretrain
