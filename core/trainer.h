#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/checkpoint/checkpointer.h"
#include "core/communicator.h"
#include "core/data_loader.h"
#include "core/objective.h"
#include "core/optim/flat_buffer.h"
#include "core/optim/schedule.h"
#include "core/optimizer.h"
#include "core/reducer.h"
#include "core/run/cadence.h"
#include "core/run/evaluator.h"
#include "core/run/flags_record.h"
#include "core/run/run_recorder.h"

namespace pretrain {

/// The numbers of a run, all spans already turned into steps.
struct TrainingPlan {
  std::int64_t steps = 0;    ///< the run ends after so many updates; INT64_MAX: `hours` decides
  double hours = 0;          ///< wall-clock over all attempts after which it ends; 0: no limit
  BatchSchedule batches{1};  ///< samples of each step
  double flops_per_token = 0;
  Schedule schedule;
  double clip_norm = 0;  ///< 0: no clipping
  Cadence report;
  Cadence evaluate;
  Cadence save;
  Cadence sample;
  bool evaluate_at_start = true;
  bool evaluate_at_end = true;
  bool stop_if_nonfinite = false;
  std::int64_t max_consecutive_skips = 5;
};

/// What a trainer is made of; all borrowed, all of them outlive it. build_trainer makes them.
struct TrainerParts {
  Objective& objective;
  FlatBuffer& parameters;
  Optimizer& optimizer;
  Reducer& reducer;
  Communicator& control;  ///< all ranks, host memory
  DataLoader& loader;
  Evaluator& evaluator;
  Checkpointer& checkpointer;
  RunRecorder& recorder;
  std::function<StopRequest()> stop_request;             ///< what signals ask of this rank
  std::function<void(std::int64_t step)> write_samples;  ///< text of the model, on rank 0
  std::function<void(const std::vector<Batch>&, std::int64_t step)> dump;  ///< of chosen steps
};

/// The training loop. Every rank has one and they make the same decisions: whatever could differ
/// between ranks travels in one FlagsRecord a step.
class Trainer {
 public:
  /// `state` is where the run stands: zero, or what a checkpoint said.
  Trainer(TrainerParts parts, const TrainingPlan& plan, const TrainingState& state);

  /// Trains to the end of the plan (kOk) or until asked to stop, with a checkpoint (kStopped).
  /// Throws AgreedError or Error: kNumerics after too many non-finite steps, kCannotCreate or kIo
  /// if the last checkpoint cannot be written, and whatever data and communication throw.
  ExitCode run();
  const TrainingState& state() const { return state_; }

 private:
  using Clock = std::chrono::steady_clock;

  void train_step();
  std::vector<double> global_counts(const std::vector<Batch>& batches);
  std::vector<double> local_counts(const std::vector<Batch>& batches) const;
  std::vector<double> backward(const std::vector<Batch>& batches,
                               const std::vector<double>& counts);
  void update(double gradient_norm);
  void count_step(const std::vector<double>& counts);
  FlagsRecord decide();
  void report();
  void evaluate();
  void save(bool final);

  std::int64_t step() const { return static_cast<std::int64_t>(state_.step); }
  bool finished() const { return step() >= plan_.steps || reached_hours_; }
  bool past_hours() const { return plan_.hours > 0 && state_.hours >= plan_.hours; }

  TrainerParts parts_;
  TrainingPlan plan_;
  TrainingState state_;
  StepReport last_;                       // of the newest step
  std::map<std::string, double> losses_;  // of these weights, once evaluated
  double hours_before_;                   // of earlier attempts
  Clock::time_point started_ = Clock::now();
  Clock::time_point saved_at_ = started_;
  bool reached_hours_ = false;
  bool interrupted_ = false;
};

}  // namespace pretrain
