#include "core/run/step_report.h"

#include <algorithm>
#include <cmath>

namespace pretrain {
namespace {

// A term without targets is zero. NaN must win over every number.
double weighted_loss(const std::vector<LossTerm>& terms, const double* sums, const double* counts) {
  const std::vector<double> factors = term_factors(terms, counts);
  double loss = 0;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (counts[i] > 0) loss += factors[i] * sums[i];
  }
  return loss;
}

}  // namespace

void StepReport::gather_loss(Communicator& control, const std::vector<LossTerm>& terms,
                             const std::vector<double>& sums, const std::vector<double>& counts) {
  const std::size_t count = terms.size();
  std::vector<double> mine(sums);
  mine.insert(mine.end(), counts.begin(), counts.end());
  std::vector<double> all(mine.size() * static_cast<std::size_t>(control.size()));
  control.all_gather(mine.data(), all.data(), mine.size(), DataType::kF64);
  std::vector<double> total(2 * count);
  loss_max = -INFINITY;
  for (std::size_t at = 0; at < all.size(); at += 2 * count) {
    for (std::size_t i = 0; i < 2 * count; ++i) total[i] += all[at + i];
    const double own = weighted_loss(terms, &all[at], &all[at + count]);
    if (!(own <= loss_max)) loss_max = own;
  }
  loss = weighted_loss(terms, total.data(), &total[count]);
  parts.assign(count, 0.0);
  for (std::size_t i = 0; i < count; ++i) {
    if (total[count + i] > 0) parts[i] = total[i] / total[count + i];
  }
  targets = static_cast<std::uint64_t>(leading_targets(terms, &total[count]));
}

}  // namespace pretrain
