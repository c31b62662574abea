#include "core/trainer.h"

#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "core/optim/clip_grad_norm.h"
#include "core/run/snapshot.h"

namespace pretrain {
namespace {

double hours_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 3600;
}

}  // namespace

Trainer::Trainer(TrainerParts parts, const TrainingPlan& plan, const TrainingState& state)
    : parts_(std::move(parts)), plan_(plan), state_(state), hours_before_(state.hours) {
  parts_.reducer.attach(parts_.parameters.gradients());
}

ExitCode Trainer::run() {
  parts_.recorder.running(state_);
  reached_hours_ = past_hours();  // of the checkpoint, so equal on all ranks
  const bool pending = state_.evaluation_pending;
  if (finished() && step() > 0 && !pending) return ExitCode::kOk;
  if (pending && finished()) ++state_.lineage;  // what it finds out is saved beside the old one
  if (pending || (state_.step == 0 && plan_.evaluate_at_start)) evaluate();
  parts_.loader.start(static_cast<std::int64_t>(state_.step));
  while (!finished() && !interrupted_) {
    train_step();
    const FlagsRecord flags = decide();
    if (plan_.report.due(step()) || step() == 1 || finished()) report();
    if (plan_.evaluate.due(step()) || (finished() && plan_.evaluate_at_end)) evaluate();
    if (plan_.sample.due(step())) parts_.write_samples(step());
    if (flags.save_due && !finished() && !interrupted_) save(false);
  }
  save(true);
  return finished() && !state_.evaluation_pending ? ExitCode::kOk : ExitCode::kStopped;
}

void Trainer::train_step() {
  StepTimer& timer = parts_.recorder.timer();
  timer.enter(StepPhase::kData);
  const std::vector<Batch> batches = parts_.loader.next();
  timer.enter(StepPhase::kComm);
  const std::vector<double> counts = global_counts(batches);
  timer.enter(StepPhase::kCompute);
  parts_.parameters.zero_gradients();
  const std::vector<double> sums = backward(batches, counts);
  timer.enter(StepPhase::kComm);
  parts_.reducer.finalize();
  last_.gather_loss(parts_.control, parts_.objective.terms(), sums, local_counts(batches));
  timer.enter(StepPhase::kOptimizer);
  parts_.dump(batches, step() + 1);
  update(std::sqrt(squared_norm(parts_.parameters.gradients())));
  count_step(counts);
  timer.enter(StepPhase::kOther);
  parts_.recorder.step_done(last_, state_);
}

// Targets of each loss term in the global batch, then its positions and real tokens. They follow
// from the data alone, so each gradient can be divided before it is summed.
std::vector<double> Trainer::global_counts(const std::vector<Batch>& batches) {
  std::vector<double> counts = local_counts(batches);
  double positions = 0, real_tokens = 0;
  for (const Batch& batch : batches) {
    positions += static_cast<double>(batch.positions);
    real_tokens += static_cast<double>(batch.real_tokens);
  }
  counts.insert(counts.end(), {positions, real_tokens});
  all_reduce_sum(parts_.control, counts);
  return counts;
}

std::vector<double> Trainer::local_counts(const std::vector<Batch>& batches) const {
  std::vector<double> counts(parts_.objective.terms().size());
  for (const Batch& batch : batches) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += double(batch.counts[i]);
  }
  return counts;
}

// Leaves this rank's share of the gradient of the global mean in the flat buffer; returns its sum
// of each term. A global batch without targets has nothing to differentiate.
std::vector<double> Trainer::backward(const std::vector<Batch>& batches,
                                      const std::vector<double>& counts) {
  const std::vector<double> factors = term_factors(parts_.objective.terms(), counts.data());
  const auto options = parts_.parameters.values().options();
  at::Tensor sums =
      at::zeros({static_cast<std::int64_t>(factors.size())}, options.dtype(at::kDouble));
  for (std::size_t micro = 0; micro < batches.size(); ++micro) {
    parts_.reducer.set_sync(micro + 1 == batches.size());
    const std::vector<at::Tensor> losses =
        parts_.objective.loss(to_device(batches[micro], options.device()));
    at::Tensor total = at::zeros({}, options);
    for (std::size_t i = 0; i < factors.size(); ++i) {
      if (counts[i] > 0) total = total + losses[i] * factors[i];
    }
    if (*std::max_element(counts.begin(), counts.end() - 2) > 0) total.backward();
    sums += at::stack(losses).detach();
  }
  const at::Tensor host = sums.to(at::kCPU);
  return {host.const_data_ptr<double>(), host.const_data_ptr<double>() + host.numel()};
}

// A step whose loss or gradient is not finite on any rank changes no weight on all of them: both
// numbers are global, so the ranks need not talk about it.
void Trainer::update(double gradient_norm) {
  last_.gradient_norm = gradient_norm;
  last_.learning_rate = plan_.schedule.learning_rate(step() + 1);
  last_.skipped = !std::isfinite(gradient_norm) || !std::isfinite(last_.loss);
  if (last_.skipped) return;
  parts_.optimizer.step(last_.learning_rate, clip_scale(gradient_norm, plan_.clip_norm));
  losses_.clear();
}

void Trainer::count_step(const std::vector<double>& counts) {
  last_.positions = static_cast<std::uint64_t>(counts[counts.size() - 2]);
  last_.real_tokens = static_cast<std::uint64_t>(counts[counts.size() - 1]);
  state_.step += 1;
  state_.samples = plan_.batches.first_sample(state_.step);
  parts_.loader.locate(state_.samples, state_.data);
  state_.tokens += last_.positions;
  state_.real_tokens += last_.real_tokens;
  state_.targets += last_.targets;
  state_.flops += static_cast<double>(last_.real_tokens) * plan_.flops_per_token;
  state_.skipped += last_.skipped ? 1 : 0;
  state_.consecutive_skips = last_.skipped ? state_.consecutive_skips + 1 : 0;
}

// The one decision point of a step. Clocks and signals differ between ranks, so what they ask for
// is merged; everything else follows from numbers that are equal everywhere.
FlagsRecord Trainer::decide() {
  state_.hours = hours_before_ + hours_since(started_);
  FlagsRecord mine;
  mine.step = state_.step;
  mine.stop_request = static_cast<std::uint8_t>(parts_.stop_request());
  mine.nonfinite = last_.skipped;
  mine.save_due = plan_.save.due(step());
  if (parts_.control.rank() == 0) {
    if (plan_.save.hours > 0 && hours_since(saved_at_) >= plan_.save.hours) mine.save_due = true;
    if (past_hours()) {
      mine.stop_request =
          std::max(mine.stop_request, static_cast<std::uint8_t>(StopRequest::kTarget));
    }
  }
  const FlagsRecord all = exchange(parts_.control, mine);
  const auto stop = static_cast<StopRequest>(all.stop_request);
  if (stop == StopRequest::kTarget) reached_hours_ = true;
  if (stop > StopRequest::kTarget) interrupted_ = true;
  const auto limit = plan_.stop_if_nonfinite ? 1 : plan_.max_consecutive_skips;
  if (static_cast<std::int64_t>(state_.consecutive_skips) >= std::max<std::int64_t>(limit, 1)) {
    throw AgreedError(ExitCode::kNumerics,
                      concat("step ", state_.step, ": loss ", last_.loss, " and gradient norm ",
                             last_.gradient_norm, ", not finite in ", state_.consecutive_skips,
                             " steps in a row. Lower optimizer.lr or look at the data of these "
                             "steps; the same command goes on from the newest checkpoint"));
  }
  return all;
}

void Trainer::report() {
  parts_.recorder.report(last_, state_, std::sqrt(squared_norm(parts_.parameters.values())));
}

void Trainer::evaluate() {
  if (parts_.evaluator.sets().empty()) return;
  parts_.recorder.evaluating(state_);
  const auto results = parts_.evaluator.evaluate(parts_.stop_request);
  state_.evaluation_pending = !results;
  if (!results) {
    interrupted_ = true;
    return;
  }
  for (const EvaluationResult& result : *results) losses_[result.set] = result.loss();
  const EvaluationResult& first = results->front();
  if (std::isfinite(first.loss()) && (!state_.best || first.loss() < state_.best->loss)) {
    state_.best = BestEvaluation{first.set, first.loss(), state_.step};
  }
  parts_.recorder.evaluated(*results, state_);
}

void Trainer::save(bool final) {
  if (parts_.checkpointer.has(state_)) return;
  require_finite(parts_.parameters, parts_.optimizer);
  parts_.recorder.saving(state_);
  const Snapshot snapshot = take_snapshot(parts_.parameters, parts_.optimizer,
                                          parts_.control.rank(), parts_.control.size());
  const SaveResult result =
      parts_.checkpointer.save(state_, snapshot.model, snapshot.optimizer, losses_, final);
  saved_at_ = Clock::now();
  parts_.recorder.saved(result, state_);
}

}  // namespace pretrain
