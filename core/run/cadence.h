#pragma once

#include <cstdint>

namespace pretrain {

/// When something that repeats is due: every so many steps, or every so many hours of wall-clock;
/// neither: never.
struct Cadence {
  std::int64_t steps = 0;
  double hours = 0;

  bool due(std::int64_t step) const { return steps > 0 && step % steps == 0; }
};

}  // namespace pretrain
