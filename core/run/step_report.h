#pragma once

#include <cstdint>
#include <vector>

#include "core/communicator.h"
#include "core/objective.h"

namespace pretrain {

/// What one training step did, the same on all ranks.
struct StepReport {
  double loss = 0;            ///< terms over the global batch by their factors (LossTerm), nats
  double loss_max = 0;        ///< the same of the worst rank over its own part
  std::vector<double> parts;  ///< mean of each term
  double gradient_norm = 0;   ///< global, before clipping
  double learning_rate = 0;
  bool skipped = false;  ///< not finite: no weight changed
  std::uint64_t positions = 0;
  std::uint64_t real_tokens = 0;
  std::uint64_t targets = 0;  ///< of the first term of each part

  /// Sets loss, loss_max and parts from every rank's sums and target counts of the terms. Sums are
  /// made in rank order, so all ranks get the same bits. Collective.
  void gather_loss(Communicator& control, const std::vector<LossTerm>& terms,
                   const std::vector<double>& sums, const std::vector<double>& counts);
};

}  // namespace pretrain
