#include "core/run/run_recorder.h"

#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <iostream>

#include "core/base/logging.h"
#include "core/base/memory_usage.h"
#include "core/metrics/event_log.h"

namespace pretrain {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;

Status first_status(const RecorderSetup& setup, int world) {
  Status status;
  status.steps = setup.steps;
  status.host = setup.host;
  status.pid = getpid();
  status.world = world;
  status.attempt = setup.attempt;
  status.checkpoint = setup.checkpoint;
  if (const char* job = std::getenv("SLURM_JOB_ID")) status.job = job;
  return status;
}

// mpirun gives each rank a terminal of its own, even where its own output is a file.
bool writes_to_terminal() {
  return isatty(STDOUT_FILENO) == 1 && std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr;
}

MetricsContext metrics_context(const RecorderSetup& setup, const SinkLost& on_lost) {
  MetricsContext context;
  context.run_dir = setup.run_dir;
  context.host = setup.host;
  context.resumed_at = setup.resumed_at;
  context.scale = {setup.steps, setup.memory_limit_gib};
  context.console = &std::cout;
  context.terminal = writes_to_terminal();
  context.on_lost = on_lost;
  return context;
}

}  // namespace

struct RunRecorder::Sinks {
  Sinks(const RecorderSetup& setup, int world)
      : events(setup.run_dir + "/events.jsonl", {setup.attempt, 0, setup.host}),
        metrics(setup.logging, metrics_context(setup, lost())),
        status(setup.run_dir + "/status.json", first_status(setup, world), lost()) {}

  SinkLost lost() {
    return [this](const std::string& path, const std::string& reason) {
      events.write("sink_lost", 0, reason, {{"path", path}});
    };
  }

  EventLog events;
  MetricsLogger metrics;
  StatusFile status;
};

RunRecorder::RunRecorder(const RecorderSetup& setup, Communicator& control)
    : setup_(setup), control_(control), throughput_(control.size(), setup.peak_flops) {
  if (control.rank() == 0) sinks_ = std::make_unique<Sinks>(setup, control.size());
}

RunRecorder::~RunRecorder() = default;

void RunRecorder::print(const std::string& line) {
  if (sinks_) sinks_->metrics.print(line);
}

void RunRecorder::event(const std::string& name, std::int64_t step, const std::string& reason,
                        const std::vector<std::pair<std::string, JsonScalar>>& more) {
  if (sinks_) sinks_->events.write(name, step, reason, more);
}

Counters RunRecorder::counters(const TrainingState& state) const {
  Counters at;
  at.step = static_cast<std::int64_t>(state.step);
  at.tokens = static_cast<std::int64_t>(state.tokens);
  at.real_tokens = static_cast<std::int64_t>(state.real_tokens);
  at.samples = static_cast<std::int64_t>(state.samples);
  at.targets = static_cast<std::int64_t>(state.targets);
  at.epoch = static_cast<double>(state.samples) / setup_.samples_per_epoch;
  at.flops = state.flops;
  return at;
}

void RunRecorder::set_state(RunState run_state, const TrainingState& state) {
  if (!sinks_) return;
  sinks_->status.update([&](Status& status) {
    status.state = run_state;
    status.step = static_cast<std::int64_t>(state.step);
    status.tokens = static_cast<std::int64_t>(state.tokens);
  });
}

void RunRecorder::running(const TrainingState& state) { set_state(RunState::kRunning, state); }

void RunRecorder::step_done(const StepReport& step, const TrainingState& state) {
  set_log_step(static_cast<std::int64_t>(state.step));
  throughput_.add_step(timer_.finish(), static_cast<std::int64_t>(step.real_tokens),
                       static_cast<double>(step.real_tokens) * setup_.flops_per_token);
  if (!sinks_) return;
  sinks_->status.update([&](Status& status) {
    status.step = static_cast<std::int64_t>(state.step);
    status.tokens = static_cast<std::int64_t>(state.tokens);
    status.loss = step.loss;
  });
  const auto phase = setup_.phases.find(static_cast<std::int64_t>(state.step));
  if (phase != setup_.phases.end()) event("data_phase", phase->first, phase->second);
  if (!step.skipped) return;
  event("skip", static_cast<std::int64_t>(state.step), "loss or gradient norm is not finite",
        {{"loss", step.loss},
         {"grad_norm", step.gradient_norm},
         {"consecutive", static_cast<std::int64_t>(state.consecutive_skips)}});
  log_warning(concat("step ", state.step, " skipped: loss ", step.loss, ", gradient norm ",
                     step.gradient_norm, "; weights unchanged"));
}

void RunRecorder::report(const StepReport& step, const TrainingState& state, double param_norm) {
  std::array<std::int64_t, 2> memory{resident_bytes().value_or(0), peak_resident_bytes()};
  all_reduce_max(control_, memory);
  const Rates rates = throughput_.take();
  if (!sinks_) return;
  TrainRecord record;
  record.attempt = setup_.attempt;
  record.at = counters(state);
  record.loss = step.loss;
  record.loss_max = step.loss_max;
  for (std::size_t i = 0; i < setup_.terms.size(); ++i) {
    record.parts[setup_.terms[i].name] = step.parts[i];
  }
  record.lr = step.learning_rate;
  record.grad_norm = step.gradient_norm;
  record.param_norm = param_norm;
  record.skipped = static_cast<std::int64_t>(state.skipped);
  record.tok_per_s = rates.tok_per_s;
  record.tflops = rates.tflops;
  record.mfu = rates.mfu;
  record.mean = rates.mean;
  record.mem_gib = static_cast<double>(memory[0]) / kGiB;
  record.mem_peak_gib = static_cast<double>(memory[1]) / kGiB;
  record.world = control_.size();
  std::optional<double> eta;
  if (setup_.steps) eta = throughput_.eta(*setup_.steps - record.at.step);
  sinks_->metrics.train(record, eta);
  sinks_->status.update([&](Status& status) { status.eta_s = eta; });
}

void RunRecorder::evaluating(const TrainingState& state) {
  set_state(RunState::kEvaluating, state);
}

void RunRecorder::pause_over(const TrainingState& state) {
  double seconds = 0;
  for (double part : timer_.finish()) seconds += part;
  throughput_.add_pause(seconds);
  set_state(RunState::kRunning, state);
}

void RunRecorder::evaluated(const std::vector<EvaluationResult>& results,
                            const TrainingState& state) {
  pause_over(state);
  if (!sinks_) return;
  for (const EvaluationResult& result : results) {
    EvalRecord record;
    record.attempt = setup_.attempt;
    record.at = counters(state);
    record.set = result.set;
    record.loss = result.loss();
    record.parts = result.parts();
    if (result.is_likelihood) record.ppl = std::exp(record.loss);
    record.bpb = result.bits_per_byte();
    if (result.bytes) record.bytes = static_cast<std::int64_t>(std::llround(*result.bytes));
    record.t_eval = result.seconds;
    record.world = control_.size();
    sinks_->metrics.eval(record);
    event("eval", record.at.step, "",
          {{"set", record.set}, {"loss", record.loss}, {"bpb", nullable(record.bpb)}});
  }
}

void RunRecorder::saving(const TrainingState& state) {
  set_state(RunState::kSaving, state);
  event("ckpt_begin", static_cast<std::int64_t>(state.step), "");
}

void RunRecorder::saved(const SaveResult& result, const TrainingState& state) {
  pause_over(state);
  const auto step = static_cast<std::int64_t>(state.step);
  const std::string path = setup_.run_dir + "/checkpoints/" + result.name;
  if (result.committed) checkpoint_ = CommittedCheckpoint{step, path, utc_seconds()};
  if (!sinks_) return;
  if (!result.committed) {
    event("ckpt_fail", step, result.error);
    return log_warning(concat("step ", step, ": checkpoint not written: ", result.error));
  }
  event("ckpt_commit", step, "",
        {{"path", path},
         {"bytes", static_cast<std::int64_t>(result.bytes)},
         {"seconds", result.seconds}});
  for (const std::string& name : result.removed) event("ckpt_delete", step, name);
  for (const std::string& warning : result.warnings) log_warning(warning);
  sinks_->status.update([&](Status& status) { status.checkpoint = checkpoint_; });
}

void RunRecorder::sync() {
  if (!sinks_) return;
  sinks_->metrics.sync();
  sinks_->events.sync();
}

void RunRecorder::ended(ExitCode code, const std::string& reason, const TrainingState& state,
                        bool alone) {
  const auto step = static_cast<std::int64_t>(state.step);
  const auto number = static_cast<std::int64_t>(code);
  const auto end = [&](Status& status) {
    status.state = code == ExitCode::kOk        ? RunState::kDone
                   : code == ExitCode::kStopped ? RunState::kStopped
                                                : RunState::kFailed;
    status.code = static_cast<int>(code);
    status.reason = reason;
    status.eta_s = std::nullopt;
  };
  if (sinks_) {
    event("run_end", step, reason, {{"code", number}});
    sinks_->status.update(end);
  } else if (alone) {
    EventLog(setup_.run_dir + "/events.jsonl", {setup_.attempt, control_.rank(), setup_.host})
        .write("run_end", step, reason, {{"code", number}});
    Status status = first_status(setup_, control_.size());
    status.rank = control_.rank();
    status.checkpoint = checkpoint_;
    status.step = step;
    status.tokens = static_cast<std::int64_t>(state.tokens);
    end(status);
    write_status(setup_.run_dir + "/status.json", status);
  }
}

}  // namespace pretrain
