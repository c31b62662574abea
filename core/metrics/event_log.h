#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/json/json_writer.h"
#include "core/metrics/jsonl_writer.h"

namespace pretrain {

/// Who writes events: the same for all events of a process.
struct EventOrigin {
  std::int64_t attempt = 1;
  std::int64_t rank = 0;
  std::string host;
};

/// The history of a run, RUN_DIR/events.jsonl, never cut: lines
///   {"v": 1, "t": ..., "attempt": 1, "event": "ckpt_commit", "rank": 0, "host": "nodeA",
///    "step": 1000, "reason": "", ...}
/// with event one of run_start, resume, fallback, skip, eval, ckpt_begin, ckpt_commit, ckpt_fail,
/// ckpt_delete, sink_lost, run_end. A sink: losing it costs one warning. Thread-safe; several ranks
/// may write to one file.
class EventLog {
 public:
  /// Throws UnsafeFile and nothing else.
  EventLog(const std::string& path, EventOrigin origin);

  /// `more` adds keys of this kind of event.
  void write(const std::string& event, std::int64_t step, const std::string& reason,
             const std::vector<std::pair<std::string, JsonScalar>>& more = {});
  /// Waits until all events are on the disk; part of committing a checkpoint.
  void sync() { lines_.sync(); }
  bool lost() const { return lines_.lost(); }

 private:
  EventOrigin origin_;
  JsonlWriter lines_;
};

}  // namespace pretrain
