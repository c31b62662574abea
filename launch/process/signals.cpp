#include "launch/process/signals.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "core/base/error.h"

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

// A line of /proc/self/maps: "begin-end rights offset device inode   path".
struct MapsLine {
  std::array<char, 1024> text{};
  std::size_t size = 0;

  bool parse_hex(std::size_t& at, std::uintptr_t& value) const {
    const std::size_t begin = at;
    for (value = 0; at < size; ++at) {
      const char c = text[at];
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<std::uintptr_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        value = value * 16 + static_cast<std::uintptr_t>(c - 'a' + 10);
      } else {
        break;
      }
    }
    return at > begin;
  }
  bool covers(std::uintptr_t address, std::size_t& rights_at) const {
    std::size_t at = 0;
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (!parse_hex(at, begin) || at >= size || text[at] != '-') return false;
    if (!parse_hex(++at, end) || address < begin || address >= end) return false;
    rights_at = at + 1;
    return true;
  }
  // The path if the mapping is an input: of a file, readable, not writable, not code.
  const char* input_path(std::size_t rights_at) {
    if (rights_at + 4 > size || std::strncmp(&text[rights_at], "r--", 3) != 0) return nullptr;
    text[size < text.size() ? size : text.size() - 1] = '\0';
    return std::strchr(&text[rights_at], '/');
  }
};

// Uses open, read and write only, which a handler may. Returns if `address` is in no input.
void name_mapped_input(std::uintptr_t address) {
  const int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (maps < 0) return;
  static MapsLine line;  // not on the stack, which may be the small alternate one
  line.size = 0;
  char c = 0;
  while (read(maps, &c, 1) == 1) {
    if (c != '\n') {
      if (line.size < line.text.size() - 1) line.text[line.size++] = c;
      continue;
    }
    std::size_t rights_at = 0;
    const char* path = line.covers(address, rights_at) ? line.input_path(rights_at) : nullptr;
    if (path != nullptr) {
      constexpr char kBegin[] = "pretrain: error 65: ";
      constexpr char kEnd[] =
          ": truncated while it was read. Keep inputs unchanged during a run; copy it again\n";
      write_all(kBegin, sizeof(kBegin) - 1);
      write_all(path, std::strlen(path));
      write_all(kEnd, sizeof(kEnd) - 1);
      _exit(static_cast<int>(ExitCode::kBadData));
    }
    line.size = 0;
  }
  close(maps);
}

extern "C" void on_bus_error(int signal, siginfo_t* info, void*) {
  name_mapped_input(reinterpret_cast<std::uintptr_t>(info->si_addr));
  raise_default(signal);
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
