#include "launch/process/signals.h"

#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "core/base/error.h"
#include "core/base/files/mapped_file.h"

namespace pretrain {
namespace {

// Lock-free atomics, as handlers run on whatever thread the signal meets.
std::atomic<int> g_request{0};
std::atomic<std::int64_t> g_first_ms{-1};
std::atomic<bool> g_under_launcher{false};
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

constexpr std::int64_t kSecondSignalMs = 10'000;

std::int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void raise_default(int signal) {
  // The signal is blocked while its handler runs: it strikes as soon as the handler returns.
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  raise(signal);
}

extern "C" void on_stop(int signal) {
  const int saved_errno = errno;
  const bool gentle = signal == SIGUSR1 || signal == SIGXCPU || signal == SIGINT ||
                      (signal == SIGTERM && !g_under_launcher);
  const int wanted = static_cast<int>(gentle ? StopRequest::kPreempt : StopRequest::kTerminate);
  const std::int64_t now = monotonic_ms();
  const std::int64_t previous = g_first_ms.exchange(now);
  if (previous >= 0 && now - previous < kSecondSignalMs) raise_default(signal);
  if (wanted > g_request) g_request = wanted;
  errno = saved_errno;
}

void write_all(const char* text, std::size_t size) {
  while (size > 0) {
    const ssize_t written = write(STDERR_FILENO, text, size);
    if (written <= 0) return;
    text += written;
    size -= static_cast<std::size_t>(written);
  }
}

template <std::size_t kSize>
void write_literal(const char (&text)[kSize]) {
  write_all(text, kSize - 1);
}

extern "C" void on_bus_error(int signal, siginfo_t* info, void*) {
  const char* path = mapped_file_at(info->si_addr);
  if (path == nullptr) return raise_default(signal);
  write_literal("pretrain: error 65: ");
  write_all(path, std::strlen(path));
  write_literal(
      ": truncated while it was read. Keep inputs unchanged during a run; copy it again\n");
  _exit(static_cast<int>(ExitCode::kBadData));
}

void install(int signal, const struct sigaction& action) {
  struct sigaction now {};
  if (sigaction(signal, &action, nullptr) != 0 || sigaction(signal, nullptr, &now) != 0 ||
      now.sa_handler != action.sa_handler) {
    fail(ExitCode::kInternal, "signal ", signal, ": expected our handler, got another one");
  }
}

}  // namespace

void install_signal_handlers(bool under_launcher) {
  g_under_launcher = under_launcher;
  struct sigaction stop {};
  stop.sa_handler = on_stop;
  stop.sa_flags = SA_RESTART;
  for (const int signal : {SIGUSR1, SIGXCPU, SIGINT, SIGTERM, SIGHUP}) install(signal, stop);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  install(SIGPIPE, ignore);
  struct sigaction bus_error {};
  bus_error.sa_sigaction = on_bus_error;
  bus_error.sa_flags = SA_SIGINFO;
  install(SIGBUS, bus_error);
}

StopRequest stop_request() { return static_cast<StopRequest>(g_request.load()); }

}  // namespace pretrain
