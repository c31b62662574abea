#pragma once

#include <cstdint>
#include <vector>

namespace pretrain {

/// Samples of each step, constant from some steps on: batch warm-up. All arithmetic; no sample is
/// lost or drawn twice where the batch changes.
class BatchSchedule {
 public:
  /// `sequences` > 0 samples a step.
  explicit BatchSchedule(std::int64_t sequences);

  /// From `step` (numbered from 0, above all earlier changes) on, `sequences` samples a step.
  void change(std::uint64_t step, std::int64_t sequences);

  std::int64_t sequences(std::uint64_t step) const;
  /// Samples of all steps before `step`.
  std::uint64_t first_sample(std::uint64_t step) const;
  /// Fewest steps that draw at least so many samples; may be fractional.
  double steps(double samples) const;

  struct Piece {
    std::uint64_t first_step = 0;
    std::uint64_t first_sample = 0;
    std::int64_t sequences = 0;
  };
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  const Piece& piece(std::uint64_t step) const;
  std::vector<Piece> pieces_;
};

}  // namespace pretrain
