#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpointer.h"
#include "core/communicator.h"
#include "core/metrics/metrics_logger.h"
#include "core/metrics/status_file.h"
#include "core/metrics/throughput.h"
#include "core/objective.h"
#include "core/run/evaluator.h"
#include "core/run/step_report.h"

namespace pretrain {

/// Where a run reports to, and what it is.
struct RecorderSetup {
  std::string run_dir;
  std::string host;
  std::int64_t attempt = 1;
  std::optional<std::int64_t> steps;              ///< planned; empty: limited by hours
  std::optional<std::int64_t> resumed_at;         ///< step of the checkpoint loaded
  std::optional<double> peak_flops;               ///< of one rank
  std::optional<double> memory_limit_gib;         ///< of one rank
  std::optional<CommittedCheckpoint> checkpoint;  ///< resumed from; its time is that of the start
  double flops_per_token = 0;                     ///< training, of the objective
  double samples_per_epoch = 1;
  std::map<std::int64_t, std::string> phases;  ///< of the data, by their first step from 0
  std::vector<LossTerm> terms;
  LoggingOptions logging;
};

/// Everything a run tells about itself: the console, metrics.jsonl, events.jsonl, status.json and
/// TensorBoard files. Rank 0 writes; on other ranks it only keeps time. Not thread-safe.
class RunRecorder {
 public:
  RunRecorder(const RecorderSetup& setup, Communicator& control);
  ~RunRecorder();

  StepTimer& timer() { return timer_; }
  /// A line for the console.
  void print(const std::string& line);
  void event(const std::string& name, std::int64_t step, const std::string& reason,
             const std::vector<std::pair<std::string, JsonScalar>>& more = {});

  void running(const TrainingState& state);
  void step_done(const StepReport& step, const TrainingState& state);
  /// The metrics of the newest step and the means since the last call. Collective.
  void report(const StepReport& step, const TrainingState& state, double param_norm);
  void evaluating(const TrainingState& state);
  void evaluated(const std::vector<EvaluationResult>& results, const TrainingState& state);
  void saving(const TrainingState& state);
  void saved(const SaveResult& result, const TrainingState& state);
  /// Waits until metrics and events are on the disk; part of committing a checkpoint.
  void sync();
  /// The last words, in status.json and the event run_end: rank 0's, or, if this rank fails
  /// `alone`, those of the first rank that does.
  void ended(ExitCode code, const std::string& reason, const TrainingState& state,
             bool alone = false);

 private:
  struct Sinks;
  Counters counters(const TrainingState& state) const;
  void set_state(RunState run_state, const TrainingState& state);
  void pause_over(const TrainingState& state);

  RecorderSetup setup_;
  Communicator& control_;
  StepTimer timer_;
  Throughput throughput_;
  std::optional<CommittedCheckpoint> checkpoint_;  // newest of this start
  std::unique_ptr<Sinks> sinks_;                   // rank 0 alone
};

}  // namespace pretrain
