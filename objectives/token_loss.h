#pragma once

#include <memory>

#include "core/config/option_visitor.h"
#include "core/objective.h"
#include "objectives/losses/linear_cross_entropy.h"

namespace pretrain {

/// Options of objectives that predict tokens.
struct TokenLossOptions {
  CrossEntropyExtras extras;
  void visit(OptionVisitor& visitor);
};

/// Loss of the tokens that `batch` names, from the features [N, d] of a forward pass: only the rows
/// with a target reach the output head. Extras count in training, not in evaluation.
at::Tensor token_loss(Model& model, const at::Tensor& features, const Batch& batch,
                      const TokenLossOptions& options);
/// Rows [M, d] of the features that carry a target.
at::Tensor target_features(const at::Tensor& features, const Batch& batch);

/// A sum over nothing, which can be back-propagated: of a batch whose texts were all too short.
at::Tensor no_loss(Model& model);

/// Throws kBadConfig naming what would fit unless the model is of one of these kinds. Returns the
/// context.
const ObjectiveContext& require_kind(const ObjectiveContext& context, const std::string& objective,
                                     const std::vector<ModelKind>& kinds);
/// Forward FLOPs of the output head for one row.
double head_flops(Model& model);

}  // namespace pretrain
