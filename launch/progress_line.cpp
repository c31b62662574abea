#include "launch/progress_line.h"

#include <unistd.h>

#include <iostream>

#include "core/base/byte_size.h"
#include "core/metrics/number_format.h"
#include "launch/process/signals.h"

namespace pretrain {
namespace {

constexpr auto kFirst = std::chrono::seconds(2);
constexpr auto kTerminalPause = std::chrono::milliseconds(200);
constexpr auto kLinePause = std::chrono::seconds(10);

}  // namespace

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) == 1), next_(start_ + kFirst) {}

ProgressFunction ProgressLine::function() {
  return [this](const Progress& progress) {
    if (stop_request() != StopRequest::kNone) {
      fail(ExitCode::kStopped, progress.phase, ": stopped on request; nothing was changed");
    }
    show(progress);
  };
}

void ProgressLine::show(const Progress& progress) {
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + (terminal_ ? kTerminalPause : std::chrono::milliseconds(kLinePause));
  const auto amount = [&](std::uint64_t n) {
    return progress.unit ? concat(n, " ", progress.unit) : format_bytes(n);
  };
  std::string text = concat(progress.phase, " ", amount(progress.done));
  if (progress.total > 0) {
    const double share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
    const double seconds = std::chrono::duration<double>(now - start_).count();
    text += concat(" of ", amount(progress.total), ", ", percent(share));
    if (share > 0) text += ", " + duration(seconds * (1 - share) / share) + " left";
  }
  std::cerr << (terminal_ ? "\r\033[K" : "") << text << (terminal_ ? "" : "\n") << std::flush;
  shown_ = terminal_;
}

void ProgressLine::clear() {
  if (shown_) std::cerr << "\r\033[K" << std::flush;
  shown_ = false;
}

}  // namespace pretrain
