#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

#include "core/config/option_visitor.h"
#include "core/config/span.h"
#include "core/metrics/console.h"
#include "core/metrics/event_writer.h"
#include "core/metrics/jsonl_writer.h"
#include "core/metrics/metrics_record.h"

namespace pretrain {

/// Config section `logging`.
struct LoggingOptions {
  Span every{Span::Unit::kSteps, 10};
  std::string console = "auto";
  std::string level = "info";
  bool tensorboard = true;
  std::optional<double> peak_flops;  ///< of one rank; empty: found out by the caller
  void visit(OptionVisitor& visitor);
};

/// Where and for which run metrics are written.
struct MetricsContext {
  std::string run_dir;  ///< exists
  std::string host;
  std::optional<std::int64_t> resumed_at;  ///< step of the checkpoint loaded; empty: a new run
  RunScale scale;
  std::ostream* console = nullptr;  ///< outlives the logger
  bool terminal = false;            ///< `console` is one
  SinkLost on_lost;                 ///< event sink_lost
};

/// Gives each record to all sinks: RUN_DIR/metrics.jsonl, RUN_DIR/tb/ and the console. Rank 0 alone
/// has one. On a resume what the sinks say of later steps is cut back first. Sinks that fail are
/// dropped with a warning. Not thread-safe.
class MetricsLogger {
 public:
  /// Throws UnsafeFile if something else stands under the name of a file.
  MetricsLogger(const LoggingOptions& options, const MetricsContext& context);

  void train(const TrainRecord& record, std::optional<double> eta_s);
  void eval(const EvalRecord& record);
  /// A line for the console alone.
  void print(const std::string& line) { console_.print(line); }
  /// Waits until metrics.jsonl is on the disk; part of committing a checkpoint.
  void sync() { lines_.sync(); }

 private:
  JsonlWriter lines_;
  std::optional<EventWriter> tensorboard_;
  Console console_;
};

}  // namespace pretrain
