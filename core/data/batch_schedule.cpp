#include "core/data/batch_schedule.h"

#include <algorithm>

#include "core/base/error.h"

namespace pretrain {

BatchSchedule::BatchSchedule(std::int64_t sequences) : pieces_{{0, 0, sequences}} {
  if (sequences <= 0) fail(ExitCode::kInternal, "a step of ", sequences, " samples");
}

void BatchSchedule::change(std::uint64_t step, std::int64_t sequences) {
  if (step <= pieces_.back().first_step || sequences <= 0) {
    fail(ExitCode::kInternal, "a batch of ", sequences, " from step ", step, " after one from ",
         pieces_.back().first_step);
  }
  pieces_.push_back({step, first_sample(step), sequences});
}

const BatchSchedule::Piece& BatchSchedule::piece(std::uint64_t step) const {
  const auto after = std::upper_bound(
      pieces_.begin(), pieces_.end(), step,
      [](std::uint64_t value, const Piece& piece) { return value < piece.first_step; });
  return *std::prev(after);
}

std::int64_t BatchSchedule::sequences(std::uint64_t step) const { return piece(step).sequences; }

std::uint64_t BatchSchedule::first_sample(std::uint64_t step) const {
  const Piece& at = piece(step);
  return at.first_sample + (step - at.first_step) * static_cast<std::uint64_t>(at.sequences);
}

double BatchSchedule::steps(double samples) const {
  auto at = std::prev(pieces_.end());
  while (at != pieces_.begin() && static_cast<double>(at->first_sample) >= samples) --at;
  return static_cast<double>(at->first_step) +
         (samples - static_cast<double>(at->first_sample)) / static_cast<double>(at->sequences);
}

}  // namespace pretrain
