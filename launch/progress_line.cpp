#include "launch/progress_line.h"

#include <unistd.h>

#include <cmath>
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
  const double share =
      progress.total > 0 ? static_cast<double>(progress.done) / static_cast<double>(progress.total)
                         : 0;
  if (phase_ != progress.phase) {
    // What stood there at the start, as of a build that goes on, took no time now.
    phase_ = progress.phase;
    phase_start_ = now;
    phase_share_ = share;
    phase_documents_ = progress.documents;
  }
  if (now < next_) return;
  next_ = now + (terminal_ ? kTerminalPause : std::chrono::milliseconds(kLinePause));
  const double seconds = std::chrono::duration<double>(now - phase_start_).count();
  const auto amount = [&](std::uint64_t n) {
    return progress.unit ? concat(n, " ", progress.unit) : format_bytes(n);
  };
  std::string text = concat(progress.phase, " ", amount(progress.done));
  if (progress.total > 0) text += concat(" of ", amount(progress.total), ", ", percent(share));
  if (progress.documents > phase_documents_ && seconds > 0) {
    const auto done = static_cast<double>(progress.documents - phase_documents_);
    text += concat(", ", std::llround(done / seconds), " documents/s");
  }
  if (share > phase_share_) {
    text += ", " + duration(seconds * (1 - share) / (share - phase_share_)) + " left";
  }
  std::cerr << (terminal_ ? "\r\033[K" : "") << text << (terminal_ ? "" : "\n") << std::flush;
  shown_ = terminal_;
}

void ProgressLine::clear() {
  if (shown_) std::cerr << "\r\033[K" << std::flush;
  shown_ = false;
}

}  // namespace pretrain
