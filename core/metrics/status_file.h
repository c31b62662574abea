#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/metrics/metrics_record.h"
#include "core/metrics/sink.h"

namespace pretrain {

enum class RunState { kStarting, kRunning, kEvaluating, kSaving, kDone, kStopped, kFailed };
/// "starting", "running", "evaluating", "saving", "done", "stopped" or "failed".
const char* to_string(RunState state);

struct CommittedCheckpoint {
  std::int64_t step = 0;
  std::string path;
  double time = 0;  ///< s since 1970 UTC
};

/// The content of status.json, but for `v` and `updated`.
struct Status {
  RunState state = RunState::kStarting;
  std::optional<int> code;  ///< exit code; empty while the run lives
  std::string reason;
  std::int64_t step = 0;
  std::optional<std::int64_t> steps;  ///< planned; empty: not known yet
  std::int64_t tokens = 0;
  std::optional<double> loss;  ///< empty before the first step
  std::int64_t rank = 0;
  std::string host;
  std::int64_t pid = 0;
  std::int64_t world = 1;
  std::int64_t attempt = 1;
  double started = utc_seconds();
  std::optional<double> eta_s;
  std::optional<CommittedCheckpoint> checkpoint;  ///< newest one
  std::optional<std::string> job;                 ///< of the scheduler
};
JsonObject to_json(const Status& status);

/// Replaces `path` by the status, unless another rank has ended the same attempt: the first exit
/// code has the last word. Throws Error with kCannotCreate or kIo.
void write_status(const std::string& path, const Status& status);

/// RUN_DIR/status.json: where a run is and how it ended, for people and scripts. Replaced as a
/// whole at each change of state and by an own thread at each beat, so a reader always sees a
/// complete one. A failed write costs one warning; later ones are tried all the same, because the
/// last state matters most. Thread-safe.
class StatusFile {
 public:
  StatusFile(const std::string& path, const Status& first, SinkLost on_lost,
             std::chrono::milliseconds beat = std::chrono::seconds(10));
  ~StatusFile();

  /// Changes facts. Returns after the file has them if `state` or `code` changed, else at once: the
  /// next beat writes them. `change` runs under a lock and may not call back.
  void update(const std::function<void(Status&)>& change);

 private:
  void write();
  void run_beats();

  std::string path_;
  SinkLost on_lost_;
  std::chrono::milliseconds beat_;
  std::mutex status_mutex_;  // guards status_, stop_; never held while writing
  Status status_;
  bool stop_ = false;
  std::condition_variable stopping_;
  std::mutex write_mutex_;  // guards the file and lost_
  bool lost_ = false;
  std::thread thread_;  // last: runs when all else is there
};

}  // namespace pretrain
