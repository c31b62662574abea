#include "core/trainer.h"

#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "core/base/logging.h"
#include "core/base/memory_usage.h"
#include "core/optim/clip_grad_norm.h"
#include "core/run/snapshot.h"

namespace pretrain {

Trainer::Trainer(TrainerParts parts, const TrainingPlan& plan, const TrainingState& state)
    : parts_(std::move(parts)), plan_(plan), state_(state) {
  parts_.reducer.attach(parts_.parameters.gradients());
}

ExitCode Trainer::run() {
  parts_.recorder.running(state_);
  const bool repeat_evaluation = state_.evaluation_pending;
  if (repeat_evaluation || (state_.step == 0 && plan_.evaluate_at_start)) evaluate();
  if (!finished()) parts_.loader.start(static_cast<std::int64_t>(state_.step));
  while (!finished() && !interrupted_) {
    train_step();
    const auto step = static_cast<std::int64_t>(state_.step);
    const FlagsRecord flags = decide();
    if (plan_.report.due(step) || finished()) report();
    if (plan_.evaluate.due(step) && !finished()) evaluate();
    if (plan_.sample.due(step)) parts_.write_samples(step);
    if (flags.stop_request != 0) interrupted_ = true;
    if (flags.save_due && !finished() && !interrupted_) save(false);
  }
  if (finished() && plan_.evaluate_at_end && !interrupted_) evaluate();
  save(true);
  return interrupted_ && !finished() ? ExitCode::kStopped : ExitCode::kOk;
}

void Trainer::train_step() {
  StepTimer& timer = parts_.recorder.timer();
  timer.enter(StepPhase::kData);
  const std::vector<Batch> batches = parts_.loader.next();
  timer.enter(StepPhase::kComm);
  const std::vector<double> counts = global_counts(batches);
  timer.enter(StepPhase::kCompute);
  parts_.parameters.zero_gradients();
  const at::Tensor sums = backward(batches, counts);
  timer.enter(StepPhase::kComm);
  parts_.reducer.finalize();
  share_loss(sums, counts, static_cast<double>(batches.front().counts.front()));
  timer.enter(StepPhase::kOptimizer);
  parts_.dump(batches, static_cast<std::int64_t>(state_.step) + 1);
  update(std::sqrt(squared_norm(parts_.parameters.gradients())));
  timer.enter(StepPhase::kOther);
}

// Targets of each loss term in the global batch, then its positions and real tokens. Known from
// the data alone, so every gradient can be divided by it before it is summed.
std::vector<double> Trainer::global_counts(const std::vector<Batch>& batches) {
  std::vector<double> counts(parts_.objective.terms().size() + 2);
  for (const Batch& batch : batches) {
    for (std::size_t i = 0; i < batch.counts.size(); ++i) {
      counts[i] += static_cast<double>(batch.counts[i]);
    }
    counts[counts.size() - 2] += static_cast<double>(batch.positions);
    counts[counts.size() - 1] += static_cast<double>(batch.real_tokens);
  }
  all_reduce_sum(parts_.control, counts);
  return counts;
}

// Leaves this rank's gradient of the global mean in the flat buffer; returns its sum of each term.
at::Tensor Trainer::backward(const std::vector<Batch>& batches, const std::vector<double>& counts) {
  const std::vector<LossTerm>& terms = parts_.objective.terms();
  const auto options = parts_.parameters.values().options();
  at::Tensor sums = at::zeros({static_cast<std::int64_t>(terms.size())}, options.dtype(at::kDouble));
  for (std::size_t micro = 0; micro < batches.size(); ++micro) {
    parts_.reducer.set_sync(micro + 1 == batches.size());
    const std::vector<at::Tensor> losses =
        parts_.objective.loss(to_device(batches[micro], options.device()));
    at::Tensor total = at::zeros({}, options);
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (counts[i] > 0) total = total + losses[i] * (terms[i].weight / counts[i]);
    }
    total.backward();
    sums += at::stack(losses).detach();
  }
  return sums;
}

void Trainer::share_loss(const at::Tensor& sums, const std::vector<double>& counts,
                         double local_count) {
  const std::vector<LossTerm>& terms = parts_.objective.terms();
  const at::Tensor host = sums.to(at::kCPU);
  std::vector<double> mine(host.const_data_ptr<double>(),
                           host.const_data_ptr<double>() + host.numel());
  last_.share(parts_.control, terms, std::move(mine), counts, local_count);
}

// A step whose loss or gradient is not finite on any rank changes no weight on all of them: both
// numbers are global, so the ranks need not talk about it.
void Trainer::update(double norm) {
  const auto step = static_cast<std::int64_t>(state_.step) + 1;
  last_.gradient_norm = norm;
  last_.learning_rate = plan_.schedule.learning_rate(step);
  last_.skipped = !std::isfinite(norm) || !std::isfinite(last_.loss);
  if (!last_.skipped) {
    parts_.optimizer.step(last_.learning_rate, clip_scale(norm, plan_.clip_norm));
  }
  state_.step += 1;
  state_.samples += last_.samples = ...;
}

}  // namespace pretrain
