#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace pretrain {

/// A sequence of a row that consists of several, or of one that is shorter than others.
struct RowPiece {
  std::size_t row = 0;      ///< in the batch
  std::uint64_t start = 0;  ///< tokens of the row before it
  std::size_t tokens = 0;
};

/// One micro batch as the loader read it: rows of consecutive tokens, on the host.
struct TokenBatch {
  at::Tensor tokens;             ///< [B, W] int64, W = RowShape::tokens; [N] if there are pieces
  std::vector<RowPiece> pieces;  ///< one after the other; empty: each row is a sequence
  std::vector<std::uint64_t> sample_ids;  ///< [B] position of each row in the run's sample order
  std::vector<std::uint64_t> row_ids;     ///< [B] its place in the text of all sources
  std::vector<std::uint64_t> epochs;      ///< [B] how often its source was served before
  at::Tensor others;  ///< [B, W] a row from elsewhere for each, if Objective::needs_others()
};

/// Token sequences one after another, without padding. No position sees another sequence, and
/// positions count from 0 in each: a packed row is several sequences, a padded one a short
/// sequence.
struct Sequences {
  at::Tensor tokens;                  ///< [N] int64
  std::vector<std::int64_t> lengths;  ///< of the sequences; they add up to N
  std::vector<std::int64_t>
      prefixes;         ///< leading positions that see each other both ways; or empty
  at::Tensor segments;  ///< [N] int64, 0 or 1: BERT's A and B; undefined: all 0
  /// Address of each sequence's random draws (dropout); empty: no draws are made.
  std::vector<std::uint64_t> keys;

  /// Length of all sequences if they are equally long, else 0.
  std::int64_t uniform_length() const {
    for (const std::int64_t length : lengths) {
      if (length != lengths.front()) return 0;
    }
    return lengths.empty() ? 0 : lengths.front();
  }
};

/// One micro batch as an objective prepared it. What it has depends only on the tokens, the sample
/// ids and the run's seed, never on ranks or history.
struct Batch {
  Sequences inputs;
  Sequences decoder;       ///< of an encoder-decoder: sequence i is decoded from inputs' sequence i
  at::Tensor target_rows;  ///< [M] int64, features that carry a target; undefined: all N in order
  at::Tensor targets;      ///< [M] int64 token ids; kNoTarget where there is no loss
  at::Tensor noise;        ///< [M] float in [0, 1), for objectives that sample; or undefined
  at::Tensor labels;       ///< [sequences] int64, one for each sequence; or undefined
  std::vector<Batch> parts;  ///< of a mixture: the batches of its objectives; all else is empty
  std::vector<std::int64_t> counts;       ///< targets of each loss term, in the order of terms()
  std::vector<std::uint64_t> sample_ids;  ///< [B]
  std::int64_t positions = 0;             ///< what the network computes, padding included
  std::int64_t real_tokens = 0;           ///< positions that are not padding
};

/// Target of a position that carries no loss.
inline constexpr std::int64_t kNoTarget = -100;

}  // namespace pretrain
