#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/metrics/metrics_record.h"

namespace pretrain {

/// What the time of a step goes into.
enum class StepPhase { kData, kCompute, kComm, kOptimizer, kOther };
/// Seconds of each phase, indexed by it. Their sum is the time of the step.
using PhaseTimes = std::array<double, 5>;

/// Splits the time of steps into phases by a steady clock. Time belongs to exactly one phase, so
/// the parts sum to the step. Not thread-safe.
class StepTimer {
 public:
  /// The first step begins.
  StepTimer() : last_(std::chrono::steady_clock::now()) {}

  /// From now on time is charged to `phase`.
  void enter(StepPhase phase);
  /// Ends the step and gives its times; the next step begins, in phase kOther.
  PhaseTimes finish();

 private:
  std::chrono::steady_clock::time_point last_;
  StepPhase phase_ = StepPhase::kOther;
  PhaseTimes times_{};
};

/// Means over the steps since the last line.
struct Rates {
  MeanTimes mean;
  double tok_per_s = 0;       ///< real tokens, all ranks
  double tflops = 0;          ///< useful TFLOP/s of one rank
  std::optional<double> mfu;  ///< empty: peak not known
};

/// Adds up steps between lines of metrics. Tokens and FLOPs are those of all ranks; FLOPs are
/// useful ones: 3 x forward, 2 per multiply-add, real tokens only, no recompute, causal attention
/// counted half. Not thread-safe.
class Throughput {
 public:
  /// `peak_flops`: FLOP/s one rank could reach in the type its products are made in.
  Throughput(int world, std::optional<double> peak_flops);

  void add_step(const PhaseTimes& times, std::int64_t real_tokens, double flops);
  /// Seconds outside steps (evaluation, saving): counts for eta() only.
  void add_pause(double seconds) { pause_ += seconds; }
  /// Means since the last call, with MFU = useful FLOP/s of a rank / peak. All zero without steps.
  Rates take();
  /// Seconds that `steps` more steps take, pauses included, at the pace of recent lines. Empty
  /// before the first take().
  std::optional<double> eta(std::int64_t steps) const;

 private:
  int world_;
  std::optional<double> peak_flops_;
  std::int64_t steps_ = 0;
  PhaseTimes times_{};
  double tokens_ = 0;
  double flops_ = 0;
  double pause_ = 0;
  std::optional<double> pace_;  // seconds a step, smoothed over lines
};

}  // namespace pretrain
