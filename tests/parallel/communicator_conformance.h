#pragma once

#include <vector>

#include "core/communicator.h"

namespace pretrain::testing {

/// What every Communicator must do, as gtest expectations. Run `check` on all ranks of a group with
/// host memory; it is collective and makes the same calls on all ranks whatever it finds.
struct CommunicatorCheck {
  const char* name;
  void (*check)(Communicator& group);
};

/// Every collective x data type x reduction x count (0, 1, odd, 1 Mi + 3) on random data, against
/// results computed from the addresses of the other ranks' data; equal bits on all ranks; groups
/// made by split; the barrier.
const std::vector<CommunicatorCheck>& communicator_conformance();

}  // namespace pretrain::testing
