#include "core/base/logging.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <iomanip>
#include <memory>
#include <mutex>
#include <utility>

#include "core/base/escape_control.h"
#include "core/base/files/append_file.h"

namespace pretrain {
namespace {

constexpr std::array<const char*, 5> kLevelNames{"trace", "debug", "info", "warning", "error"};
std::atomic<std::int64_t> current_step{-1};

// The step is known only when a line is formatted.
class StepFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg&, const std::tm&,
              spdlog::memory_buf_t& line) override {
    const std::int64_t step = current_step.load(std::memory_order_relaxed);
    const std::string text = step < 0 ? "-" : std::to_string(step);
    line.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<StepFlag>();
  }
};

std::string literal(const std::string& text) {
  std::string pattern;
  for (char c : escape_control(text)) pattern += c == '%' ? "%%" : std::string(1, c);
  return pattern;
}

std::unique_ptr<spdlog::formatter> formatter(const std::string& pattern) {
  auto result = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  result->add_flag<StepFlag>('*');
  result->set_pattern(pattern);
  return result;
}

// Opened lazily and given up at the first failure. The loss is reported by write(), after the lock
// of the sink is free, because reporting may log.
class LogFileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LogFileSink(std::string path, bool open_now) : path_(std::move(path)) {
    if (open_now) open();
  }
  const std::string& path() const { return path_; }
  /// Why the file was lost; empty if it was not.
  std::string loss() {
    std::lock_guard<std::mutex> lock(mutex_);
    return loss_;
  }

 private:
  void open() {
    try {
      file_.emplace(path_);
    } catch (const UnsafeFile&) {
      throw;
    } catch (const Error& error) {
      loss_ = error.what();
    }
  }
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (!loss_.empty() || (!file_ && message.level < spdlog::level::warn)) return;
    try {
      if (!file_) open();
      if (!file_) return;
      spdlog::memory_buf_t line;
      formatter_->format(message, line);
      file_->append({line.data(), line.size()});
    } catch (const Error& error) {
      loss_ = error.what();
    }
  }
  void flush_() override {}

  std::string path_;
  std::optional<AppendFile> file_;
  std::string loss_;
};

std::shared_ptr<spdlog::sinks::sink> make_stderr(int rank, const std::string& host) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  // On a terminal a progress bar may stand in the line: clear it.
  std::string pattern = isatty(STDERR_FILENO) != 0 ? "\r\x1b[K%l: " : "%l: ";
  if (rank != 0) pattern += concat("rank ", rank, " (", literal(host), "): ");
  sink->set_formatter(formatter(pattern + "%v"));
  sink->set_level(spdlog::level::warn);
  return sink;
}

struct Log {
  std::unique_ptr<spdlog::logger> logger =
      std::make_unique<spdlog::logger>("pretrain", make_stderr(0, ""));
  std::shared_ptr<LogFileSink> file;
  std::atomic<bool> loss_told = false;
  std::function<void(const std::string&, const std::string&)> on_lost;
};

Log& current_log() {
  // Never destroyed: threads may log until the process is gone.
  static Log& log = *new Log;
  return log;
}

void report_loss(Log& log) {
  if (!log.file || log.loss_told) return;
  const std::string reason = log.file->loss();
  if (reason.empty() || log.loss_told.exchange(true)) return;
  log_warning(reason + ". The log goes on without this file");
  if (log.on_lost) log.on_lost(log.file->path(), reason);
}

void write(spdlog::level::level_enum level, const std::string& message) {
  Log& log = current_log();
  if (!log.logger->should_log(level)) return;
  log.logger->log(level, escape_control(message));
  report_loss(log);
}

}  // namespace

LogLevel log_level(const std::string& name) {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (name == kLevelNames[i]) return static_cast<LogLevel>(i);
  }
  fail(ExitCode::kBadConfig, "logging.level: expected trace, debug, info, warning or error, got ",
       name);
}

void start_logging(const std::optional<std::string>& run_dir, int rank, const std::string& host,
                   LogLevel level) {
  std::shared_ptr<LogFileSink> file;
  if (run_dir) {
    const std::string path =
        concat(*run_dir, "/logs/rank-", std::setw(5), std::setfill('0'), rank, ".log");
    file = std::make_shared<LogFileSink>(path, rank == 0 || level <= LogLevel::kDebug);
    file->set_formatter(
        formatter(concat("%Y-%m-%dT%H:%M:%S.%eZ %L r", std::setw(4), std::setfill('0'), rank, " ",
                         literal(host), " step=%* %v")));
  }
  std::vector<spdlog::sink_ptr> sinks{make_stderr(rank, host)};
  if (file) sinks.push_back(file);

  Log& log = current_log();
  log.logger = std::make_unique<spdlog::logger>("pretrain", sinks.begin(), sinks.end());
  log.logger->set_level(static_cast<spdlog::level::level_enum>(level));
  log.file = file;
  log.loss_told = false;
  log.on_lost = nullptr;
  current_step = -1;
  report_loss(log);
}

void on_log_lost(std::function<void(const std::string&, const std::string&)> handler) {
  Log& log = current_log();
  log.on_lost = std::move(handler);
  if (log.on_lost && log.loss_told) log.on_lost(log.file->path(), log.file->loss());
}

void set_log_step(std::int64_t step) { current_step = step; }

void log_debug(const std::string& message) { write(spdlog::level::debug, message); }
void log_info(const std::string& message) { write(spdlog::level::info, message); }
void log_warning(const std::string& message) { write(spdlog::level::warn, message); }
void log_error(const std::string& message) { write(spdlog::level::err, message); }

}  // namespace pretrain
