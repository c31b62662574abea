#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace pretrain {

/// One micro batch as the loader read it: rows of consecutive tokens, on the host.
struct TokenBatch {
  at::Tensor tokens;                      ///< [B, T + 1] int64: each row and the token after it
  std::vector<std::uint64_t> sample_ids;  ///< [B] position of each row in the run's sample order
};

/// One micro batch as an objective prepared it. What it has depends only on the tokens and the
/// sample ids, never on ranks or history.
struct Batch {
  at::Tensor inputs;                      ///< [B, T] int64 token ids
  at::Tensor targets;                     ///< [B, T] int64 token ids; kNoTarget where no loss
  std::vector<std::int64_t> counts;       ///< targets of each loss term, in the order of terms()
  std::vector<std::uint64_t> sample_ids;  ///< [B]
  std::int64_t positions = 0;             ///< B * T
  std::int64_t real_tokens = 0;           ///< positions that are not padding
};

/// Target of a position that carries no loss.
inline constexpr std::int64_t kNoTarget = -100;

}  // namespace pretrain
