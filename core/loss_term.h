#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pretrain {

/// One summand of the loss. The trainer minimises sum over terms of
/// weight * share * (sum over the global batch) / (targets in the global batch).
struct LossTerm {
  std::string name;
  double weight = 1.0;
  /// Terms of one part stand together. The share of a part is that of its first term's targets
  /// among those of all parts' first terms in the global batch; with one part it is 1. So the loss
  /// of several parts with one term each is the mean over all their targets.
  std::int64_t part = 0;
};

/// What the sum of each term is multiplied with, by the targets of each: weight * share / targets,
/// 0 without targets.
std::vector<double> term_factors(const std::vector<LossTerm>& terms, const double* targets);
/// Targets of the parts' first terms together.
double leading_targets(const std::vector<LossTerm>& terms, const double* targets);

}  // namespace pretrain
