#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/objective.h"
#include "objectives/token_loss.h"

namespace pretrain {

/// A source that is seen both ways and a target that is predicted token by token. Neither is empty.
struct SourceTarget {
  std::uint64_t key = 0;  ///< address of the sequence's draws
  std::vector<std::int64_t> source;
  std::vector<std::int64_t> target;
};

/// A model that predicts targets from sources. A decoder reads both as one sequence whose prefix is
/// the source; an encoder-decoder reads the source and decodes the target, which begins after the
/// padding token. Borrowed by one objective; the model is shared with it.
class SourceTargetModel {
 public:
  /// Throws kBadConfig if the model is of another kind, or if it decodes and the tokenizer has no
  /// padding token. `objective` is its name, for messages.
  SourceTargetModel(const ObjectiveContext& context, const std::string& objective);

  bool is_encoder_decoder() const { return encoder_decoder_; }
  /// What loss() takes; sample ids are left to the caller.
  Batch batch(const std::vector<SourceTarget>& pairs) const;
  /// Sum of the targets' cross-entropy.
  at::Tensor loss(const Batch& batch, const TokenLossOptions& options);
  /// Training FLOPs of a pair of `source` and `target` tokens (3 x forward).
  double flops(std::int64_t source, std::int64_t target) const;

 private:
  Batch prefixed(const std::vector<SourceTarget>& pairs) const;
  Batch decoded(const std::vector<SourceTarget>& pairs) const;

  std::shared_ptr<Model> model_;
  std::int64_t start_;
  bool encoder_decoder_;
};

}  // namespace pretrain
