#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/communicator.h"
#include "launch/process/launch_check.h"
#include "launch/process/signals.h"

namespace pretrain {

/// Tells the allocator to keep the memory it has: by default glibc maps and unmaps every large
/// block, and touching fresh pages costs a training step half its time. Call first in main.
void retain_memory();

/// This rank: how it was launched, where it is, how it ends. One object, made first in main and
/// alive to the end of the process, which is one of end() and abort().
///
/// Started by mpirun or by srun with PMI it starts MPI (MPI_THREAD_MULTIPLE); else it is a world of
/// one, without MPI, which would take a tenth of a second to start. Signals: see signals.h.
class Process {
 public:
  /// Throws kLauncher if the launcher's facts contradict each other or MPI.
  Process(int& argc, char**& argv);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  int rank() const { return rank_; }
  int world() const { return world_; }
  /// Rank among, and number of, the ranks on this host.
  int local_rank() const { return local_rank_; }
  int local_size() const { return local_size_; }
  const std::string& host() const { return host_; }
  /// All ranks in host memory, for agreements; borrowed, lives as long as the process.
  Communicator& control() { return *control_; }

  /// Cores for the threads of this rank: those it is bound to; where ranks of this host are bound
  /// to the same ones (or not at all), its fair share of them. At least 1.
  int threads_per_rank() const { return threads_; }
  /// For printing: "4 cores (0-3)", "2 of the 8 cores (0-7) that 4 ranks share".
  const std::string& binding() const { return binding_; }

  /// "mpirun", "srun", or "none" for a world of one started by hand.
  const char* launcher() const { return facts_.launcher(); }

  /// What signals ask for: none 0, preempt 3, terminate 4.
  StopRequest stop_request() const { return pretrain::stop_request(); }

  /// The launch self-test of commands that use all ranks: check_not_alone, then check_launch.
  /// Collective.
  void check_launch(const std::vector<NamedValue>& values);

  /// Ends with a code all ranks agreed on: every rank calls it. Flushes the standard streams; the
  /// code stands even if MPI cannot be finalized within 60 s.
  [[noreturn]] static void end(int code);
  /// Ends the job on a failure that the others have not agreed on (or in the constructor): writes
  /// `message` and a newline to stderr and aborts all ranks; gone within 2 s even if MPI hangs.
  [[noreturn]] static void abort(int code, std::string_view message);

 private:
  void place_on_host();

  LaunchFacts facts_;
  int rank_ = 0;
  int world_ = 1;
  int local_rank_ = 0;
  int local_size_ = 1;
  int threads_ = 1;
  std::string host_;
  std::string binding_;
  std::unique_ptr<Communicator> control_;
};

}  // namespace pretrain
