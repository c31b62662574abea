#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/objective.h"
#include "core/text/tokenizer.h"

namespace pretrain::testing {

/// A small objective on a small model, with initialised weights.
struct TinySetup {
  std::string objective = "causal_lm";
  std::string model = "";  ///< empty: one that fits the objective
  std::int64_t vocab_size = 50;
  std::int64_t length = 24;
  std::int64_t layers = 2;
  at::ScalarType compute = at::kFloat;
  std::uint64_t seed = 1;
  std::string model_options = "";  ///< more options in flow style: "dropout: 0.1, norm: rmsnorm"
  std::string objective_options = "";
  bool document_mask = false;
  std::string wrap = "auto";  ///< as data.wrap; what bos_eos puts before a text is cls
  bool recompute = false;
  const Tokenizer* tokenizer = nullptr;  ///< its vocabulary, special tokens and words
};
std::unique_ptr<Objective> make_tiny(const TinySetup& setup);

/// The same for the setup's most usual members.
std::unique_ptr<Objective> make_tiny_objective(const std::string& name, std::int64_t vocab_size,
                                               std::int64_t sequence_length,
                                               at::ScalarType compute = at::kFloat,
                                               std::uint64_t seed = 1);
/// Ids 0 to 17 have roles: eos, pad, cls, sep, mask, three of fill-in-middle, ten sentinels.
SpecialTokens tiny_special_tokens(std::int64_t vocab_size);
inline constexpr std::int64_t kFirstOrdinary = 18;

/// Random rows of ordinary tokens as the objective wants them, with ids from `first_sample` on.
TokenBatch random_rows(const Objective& objective, std::int64_t rows, std::int64_t vocab_size,
                       std::uint64_t first_sample = 0);
/// The same rows, each cut into pieces of `tokens` (the last one shorter), closed by `eos`.
TokenBatch in_pieces(const TokenBatch& rows, std::int64_t tokens, std::int64_t eos);
/// One sequence a row of tokens [B, T].
Sequences as_sequences(const at::Tensor& tokens);

}  // namespace pretrain::testing
