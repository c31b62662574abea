#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/batch.h"
#include "core/objective.h"

namespace pretrain {

/// A row of token ids, or one of its pieces, and the address of what is drawn for it.
struct Row {
  std::span<const std::int64_t> tokens;
  std::uint64_t sample_id = 0;
  std::size_t index = 0;   ///< of the row in the batch
  std::int64_t start = 0;  ///< tokens of the row before the piece
};
std::vector<Row> rows_of(const TokenBatch& batch);

/// Address of the random draws of the sequence that begins at token `start` of a sample.
std::uint64_t sequence_key(std::uint64_t sample_id, std::int64_t start);

/// Cuts a row into its documents, each with the eos that closes it; the last one may be unfinished.
/// eos -1: the row is one document. Never empty ones.
std::vector<std::span<const std::int64_t>> documents_of(std::span<const std::int64_t> row,
                                                        std::int64_t eos);

/// How rows are cut for objectives that predict each token of a text from those before it: `length`
/// targets, which the first token of the next row ends. With `bos` >= 0 rows share no token, as the
/// bos before each text predicts its first one.
RowShape predicted_rows(std::int64_t length, std::int64_t bos);

/// A text and the address of what is drawn for it. All but the first token can be predicted.
struct Text {
  std::vector<std::int64_t> tokens;
  std::uint64_t key = 0;
};
/// The texts of such rows: each row or piece or, with eos >= 0, each document of it, behind its
/// bos. One that goes on behind the row ends with the row's last token.
std::vector<Text> texts_of(const TokenBatch& batch, std::int64_t eos, std::int64_t bos);

/// Collects sequences on the host, one token list after another.
class SequenceBuilder {
 public:
  /// Room for so many tokens, to spare copies; more may be added.
  void reserve(std::int64_t tokens) { tokens_.reserve(static_cast<std::size_t>(tokens)); }
  void begin(std::uint64_t key, std::int64_t prefix = 0);
  void add(std::int64_t token, std::int64_t segment = 0);
  void add(std::span<const std::int64_t> tokens, std::int64_t segment = 0);
  /// Tokens so far: the index of the next one.
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  std::int64_t& token(std::int64_t index) { return tokens_[static_cast<std::size_t>(index)]; }
  /// The tokens from `first` on; valid until the next add.
  std::span<const std::int64_t> tokens_from(std::int64_t first) const {
    return std::span(tokens_).subspan(static_cast<std::size_t>(first));
  }
  /// Takes what was collected. Prefixes and segments are left out if all are 0.
  Sequences take();

 private:
  std::vector<std::int64_t> tokens_;
  std::vector<std::int64_t> segments_;  // up to the last that is not 0
  std::vector<std::int64_t> starts_;
  std::vector<std::int64_t> prefixes_;
  std::vector<std::uint64_t> keys_;
};

/// [n] int64 tensor with a copy of the values.
at::Tensor as_tensor(const std::vector<std::int64_t>& values);
/// [n] float tensor with a copy of the values.
at::Tensor as_tensor(const std::vector<float>& values);

}  // namespace pretrain
