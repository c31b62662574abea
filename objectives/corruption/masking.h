#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/config/option_visitor.h"
#include "core/objective.h"

namespace pretrain {

/// How positions are chosen for prediction and what the network sees there (Devlin et al. 2018).
struct MaskingOptions {
  double mask_prob = 0.15;
  double mask_share = 0.8;
  double random_share = 0.1;
  std::optional<std::int64_t> max_predictions;
  std::string masking = "dynamic";
  std::int64_t copies = 10;
  std::string unit = "token";
  void visit(OptionVisitor& visitor);
};

/// Chooses positions of a sequence and hides them.
class Masking {
 public:
  /// Throws kBadConfig if the tokenizer has no mask token.
  Masking(const MaskingOptions& options, const ObjectiveContext& context,
          const std::string& objective);

  /// Positions in ascending order: min(max_predictions, max(1, round(mask_prob x n))) of the n that
  /// hold no special token; none if there is none. By `unit`: tokens; whole words, drawn until the
  /// number is reached; or spans of geometric length (p = 0.2, drawn again beyond 10: mean 3.8;
  /// Joshi et al. 2020).
  std::vector<std::int64_t> choose(std::span<const std::int64_t> tokens,
                                   RandomStream& random) const;
  /// What the network sees in place of `token`: the mask, a random ordinary token, or the token.
  std::int64_t hide(std::int64_t token, RandomStream& random) const;
  /// The stream of a sequence: dynamic masks differ each time a row is served, static ones repeat
  /// after `copies` epochs.
  RandomStream stream(const TokenBatch& batch, std::size_t row, std::int64_t start) const;
  bool is_special(std::int64_t token) const {
    return static_cast<std::size_t>(token) < special_.size() &&
           special_[static_cast<std::size_t>(token)] != 0;
  }

 private:
  MaskingOptions options_;
  std::uint64_t seed_;
  std::int64_t mask_;
  std::vector<std::uint8_t> special_;  // [V]
  std::vector<std::int64_t> ordinary_;
  std::vector<std::uint8_t> word_parts_;
};

}  // namespace pretrain
