#include "core/loss_term.h"

namespace pretrain {
namespace {

bool leads(const std::vector<LossTerm>& terms, std::size_t i) {
  return i == 0 || terms[i].part != terms[i - 1].part;
}

}  // namespace

double leading_targets(const std::vector<LossTerm>& terms, const double* targets) {
  double sum = 0;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (leads(terms, i)) sum += targets[i];
  }
  return sum;
}

std::vector<double> term_factors(const std::vector<LossTerm>& terms, const double* targets) {
  const double all = leading_targets(terms, targets);
  const bool one_part = terms.front().part == terms.back().part;
  std::vector<double> factors(terms.size());
  std::size_t lead = 0;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (leads(terms, i)) lead = i;
    if (targets[i] == 0 || (all == 0 && !one_part)) continue;
    if (one_part) {
      factors[i] = terms[i].weight / targets[i];
    } else if (i == lead) {
      factors[i] = terms[i].weight / all;
    } else {
      factors[i] = terms[i].weight * (targets[lead] / all) / targets[i];
    }
  }
  return factors;
}

}  // namespace pretrain
