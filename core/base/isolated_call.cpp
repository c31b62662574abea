#include "core/base/isolated_call.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "core/base/error.h"

namespace pretrain {
namespace {

// A reply is one byte, the exit code (kOk: the text is the result, else the message), and the text.
std::string reply_of(const std::function<std::string()>& work) {
  const auto reply = [](ExitCode code, const std::string& text) {
    return static_cast<char>(code) + text;
  };
  try {
    return reply(ExitCode::kOk, work());
  } catch (const Error& error) {
    return reply(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return reply(ExitCode::kBadData, "needs more memory than a check may take");
  } catch (const std::exception& error) {
    return reply(ExitCode::kInternal, error.what());
  }
}

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &both) != 0) _exit(1);
}

// Lets the process map `more` bytes on top of what it has. Not under the address sanitizer, whose
// shadow memory needs terabytes of addresses.
void limit_memory([[maybe_unused]] std::uint64_t more) {
#ifndef __SANITIZE_ADDRESS__
  unsigned long pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%lu", &pages) != 1) _exit(1);
  std::fclose(file);
  limit(RLIMIT_AS, pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + more);
#endif
}

// Leaves the child with file descriptors 0 to 2 on /dev/null and the pipe on 3.
void keep_only(int pipe) {
  pipe = fcntl(pipe, F_DUPFD, 3);  // away from 0 to 2, should the parent have closed them
  const int null = open("/dev/null", O_RDWR);
  if (pipe < 0 || null < 0) _exit(1);
  for (int fd = 0; fd < 3; ++fd) {
    if (dup2(null, fd) < 0) _exit(1);
  }
  if (pipe != 3 && dup2(pipe, 3) < 0) _exit(1);
  if (close_range(4, ~0u, 0) != 0) _exit(1);
}

[[noreturn]] void run_child(int pipe, const std::function<std::string()>& work,
                            const IsolationLimits& limits) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // The parent's handlers would write its dumps and status files.
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGTERM, SIGINT, SIGUSR1}) {
    std::signal(signal, SIG_DFL);
  }
  keep_only(pipe);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, limits.cpu_seconds);
  limit_memory(limits.memory_bytes);
  const std::string reply = reply_of(work);
  for (std::size_t done = 0; done < reply.size();) {
    const ssize_t n = write(3, reply.data() + done, reply.size() - done);
    if (n < 0 && errno != EINTR) _exit(1);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  _exit(0);
}

enum class Ending { kDone, kLate, kTooLong };

// Reads until the child closes the pipe, but no longer than the limits say.
Ending receive(int pipe, const IsolationLimits& limits, std::string& reply) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(limits.wall_seconds);
  std::array<char, 4096> buffer;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd waiting{pipe, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Ending::kLate;
    const ssize_t n = read(pipe, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Ending::kDone;
    reply.append(buffer.data(), static_cast<std::size_t>(n));
    if (reply.size() > limits.reply_bytes + 1) return Ending::kTooLong;
  }
}

}  // namespace

std::string run_isolated(const std::string& place, const std::function<std::string()>& work,
                         const IsolationLimits& limits) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail(ExitCode::kIo, place, ": no pipe: ", std::strerror(errno));
  const pid_t child = fork();
  if (child == 0) run_child(ends[1], work, limits);
  const int fork_errno = errno;
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    fail(ExitCode::kIo, place, ": no child process: ", std::strerror(fork_errno));
  }
  std::string reply;
  const Ending ending = receive(ends[0], limits, reply);
  close(ends[0]);
  if (ending != Ending::kDone) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  constexpr const char* kAdvice = ". The file is damaged or hostile: get it again";
  if (ending == Ending::kLate) {
    fail(ExitCode::kBadData, place, ": reading it took more than ", limits.wall_seconds, " s",
         kAdvice);
  }
  if (ending == Ending::kTooLong) {
    fail(ExitCode::kBadData, place, ": describes itself with more than ", limits.reply_bytes,
         " bytes", kAdvice);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || reply.empty()) {
    fail(ExitCode::kBadData, place, ": the library crashed reading it (",
         WIFSIGNALED(status) ? concat("signal ", WTERMSIG(status)) : "no answer", ")", kAdvice);
  }
  const auto code = static_cast<ExitCode>(reply[0]);
  if (code != ExitCode::kOk) throw Error(code, reply.substr(1));
  return reply.substr(1);
}

}  // namespace pretrain
