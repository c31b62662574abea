#include "launch/process/process.h"

#include <malloc.h>
#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace pretrain {
namespace {

constexpr unsigned kFinalizeSeconds = 60;
constexpr unsigned kAbortSeconds = 2;

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  fail(ExitCode::kLauncher, call, ": failed with code ", code,
       ". See the messages of mpirun above");
}

bool mpi_is_running() {
  int initialized = 0;
  int finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized && !finalized;
}

volatile sig_atomic_t g_late_code = 0;

extern "C" void on_late(int) { _exit(g_late_code); }

// The process is gone with `code` after `seconds`, whatever a library hangs in.
void leave_at_the_latest(int code, unsigned seconds) {
  g_late_code = code;
  struct sigaction action {};
  action.sa_handler = on_late;
  sigaction(SIGALRM, &action, nullptr);
  sigset_t alarm_only;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarm_only, nullptr);
  alarm(seconds);
}

void flush_streams() {
  std::cout.flush();
  std::cerr.flush();
  std::fflush(nullptr);
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

// Numbers of the cores this process may run on, ascending.
std::vector<int> own_cores() {
  constexpr std::size_t kMostCores = 8192;
  std::array<unsigned long, kMostCores / (8 * sizeof(unsigned long))> mask{};
  auto* set = reinterpret_cast<cpu_set_t*>(mask.data());
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof(mask), set) != 0) return cores;
  for (std::size_t core = 0; core < kMostCores; ++core) {
    if (CPU_ISSET_S(core, sizeof(mask), set)) cores.push_back(static_cast<int>(core));
  }
  return cores;
}

// {0, 1, 2, 5} as "0-2,5".
std::string ranges(const std::vector<int>& cores) {
  std::string text;
  for (std::size_t i = 0; i < cores.size(); ++i) {
    const std::size_t begin = i;
    while (i + 1 < cores.size() && cores[i + 1] == cores[i] + 1) ++i;
    text += concat(text.empty() ? "" : ",", cores[begin]);
    if (i > begin) text += concat("-", cores[i]);
  }
  return text;
}

}  // namespace

void retain_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
}

Process::Process(int& argc, char**& argv) : facts_(LaunchFacts::read(std::getenv)) {
  // Before MPI, so that a signal during its start is not lost; and after, as it brings its own.
  install_signal_handlers(facts_.launched());
  if (facts_.launched()) {
    int provided = 0;
    check(MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
    // Errors come back as codes, which become an Error of ours, instead of MPI's own exit.
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    install_signal_handlers(facts_.launched());
  }
  control_ = communicators().create(facts_.launched() ? "mpi" : "local", {});
  rank_ = control_->rank();
  world_ = control_->size();
  check_facts(facts_, world_, rank_);
  place_on_host();
}

void Process::place_on_host() {
  host_ = host_name();
  std::string boot_id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot_id;
  const std::vector<int> cores = own_cores();
  // Machines may share a host name, as containers do; what differs then is the boot id.
  const auto hosts = all_gather_text(*control_, host_ + " " + boot_id);
  const auto masks = all_gather_text(*control_, ranges(cores));
  const auto own = static_cast<std::size_t>(rank_);
  int sharing = 0;
  local_size_ = 0;
  for (std::size_t r = 0; r < hosts.size(); ++r) {
    if (hosts[r] != hosts[own]) continue;
    if (r == own) local_rank_ = local_size_;
    ++local_size_;
    if (masks[r] == masks[own]) ++sharing;
  }
  const int available = std::max(1, static_cast<int>(cores.size()));
  threads_ = std::max(1, available / sharing);
  const std::string all =
      concat(available, available == 1 ? " core (" : " cores (", masks[own], ")");
  binding_ =
      sharing == 1 ? all : concat(threads_, " of the ", all, " that ", sharing, " ranks share");
}

void Process::check_launch(const std::vector<NamedValue>& values) {
  check_not_alone(facts_, world_);
  pretrain::check_launch(*control_, host_, values);
}

void Process::end(int code) {
  flush_streams();
  leave_at_the_latest(code, kFinalizeSeconds);
  if (mpi_is_running()) MPI_Finalize();
  // Not exit(): static destructors of the libraries (MPI, CUDA, OpenMP) run in an order nobody
  // chose, and one that crashes or hangs would replace the code that all ranks agreed on.
  _exit(code);
}

void Process::abort(int code, std::string_view message) {
  std::cerr << message << '\n';
  flush_streams();
  // A rank that has lost its peers may hang in MPI_Abort as well.
  leave_at_the_latest(code, kAbortSeconds);
  if (mpi_is_running()) MPI_Abort(MPI_COMM_WORLD, code);
  _exit(code);
}

}  // namespace pretrain
