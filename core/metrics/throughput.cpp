#include "core/metrics/throughput.h"

#include <numeric>
#include <utility>

namespace pretrain {
namespace {

// Share of the newest line in the pace: steady against single slow steps and evaluations, yet
// follows a change within some twenty lines.
constexpr double kNewest = 0.1;

double sum(const PhaseTimes& times) { return std::accumulate(times.begin(), times.end(), 0.0); }

MeanTimes mean_times(const PhaseTimes& times, double steps) {
  const auto mean = [&](StepPhase phase) { return times[static_cast<std::size_t>(phase)] / steps; };
  MeanTimes result;
  result.step = sum(times) / steps;
  result.data = mean(StepPhase::kData);
  result.compute = mean(StepPhase::kCompute);
  result.comm = mean(StepPhase::kComm);
  result.opt = mean(StepPhase::kOptimizer);
  result.other = mean(StepPhase::kOther);
  return result;
}

}  // namespace

void StepTimer::enter(StepPhase phase) {
  const auto now = std::chrono::steady_clock::now();
  times_[static_cast<std::size_t>(phase_)] += std::chrono::duration<double>(now - last_).count();
  last_ = now;
  phase_ = phase;
}

PhaseTimes StepTimer::finish() {
  enter(StepPhase::kOther);
  return std::exchange(times_, PhaseTimes{});
}

Throughput::Throughput(int world, std::optional<double> peak_flops)
    : world_(world), peak_flops_(peak_flops) {}

void Throughput::add_step(const PhaseTimes& times, std::int64_t real_tokens, double flops) {
  ++steps_;
  for (std::size_t i = 0; i < times.size(); ++i) times_[i] += times[i];
  tokens_ += static_cast<double>(real_tokens);
  flops_ += flops;
}

Rates Throughput::take() {
  Rates rates;
  const double seconds = sum(times_);
  if (steps_ > 0 && seconds > 0) {
    const auto steps = static_cast<double>(steps_);
    const double rank_flops = flops_ / seconds / world_;
    rates.mean = mean_times(times_, steps);
    rates.tok_per_s = tokens_ / seconds;
    rates.tflops = rank_flops / 1e12;
    if (peak_flops_) rates.mfu = rank_flops / *peak_flops_;
    const double pace = (seconds + pause_) / steps;
    pace_ = pace_ ? (1 - kNewest) * *pace_ + kNewest * pace : pace;
    pause_ = 0;
  }
  steps_ = 0;
  times_ = {};
  tokens_ = 0;
  flops_ = 0;
  return rates;
}

std::optional<double> Throughput::eta(std::int64_t steps) const {
  if (!pace_) return {};
  return *pace_ * static_cast<double>(steps);
}

}  // namespace pretrain
