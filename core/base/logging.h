#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace pretrain {

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError };
/// Level of "trace", "debug", "info", "warning" or "error". Throws Error(kBadConfig).
LogLevel log_level(const std::string& name);

/// Starts the log file RUN_DIR/logs/rank-00003.log (none without a run directory) with lines like
///   2026-11-23T01:04:49.123Z W r0003 nodeB step=1200 data: ...
/// Times are UTC; the letter is T, D, I, W or E; `step=-` stands for no step yet. Rank 0 has its
/// file from the start, others from their first warning, or from the start at levels debug and
/// trace. Before this call, and besides it, warnings and errors go to stderr as `warning: ...`,
/// from other ranks than 0 as `warning: rank 3 (nodeB): ...`.
///
/// A file that cannot be written is given up with one warning, never with an exception. Throws
/// UnsafeFile (core/base/files/append_file.h) if another kind of file stands under its name. Call
/// it while no other thread logs; the log functions themselves may be called from any thread.
void start_logging(const std::optional<std::string>& run_dir, int rank, const std::string& host,
                   LogLevel level);
/// `handler(file, reason)` is called once if the log file is lost, at once if it is already, from
/// the thread that logs. Same threading as start_logging.
void on_log_lost(std::function<void(const std::string&, const std::string&)> handler);
/// Step that the following lines of all threads carry.
void set_log_step(std::int64_t step);

/// One line each: "PLACE: WHAT". Control bytes are escaped (core/base/escape_control.h).
void log_debug(const std::string& message);
void log_info(const std::string& message);
void log_warning(const std::string& message);
void log_error(const std::string& message);

}  // namespace pretrain
