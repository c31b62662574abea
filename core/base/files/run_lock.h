#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/base/files/directory.h"

namespace pretrain {

struct RunLockOptions {
  /// Seconds without a beat after which the lock of another host is taken over (lock_stale).
  double stale_seconds = 60;
  double beat_seconds = 5;
  /// Seconds between a takeover and its confirmation; long enough for two rivals to see each other.
  double settle_seconds = 2;
  std::string job;  ///< of the scheduler; empty: none
  /// Told what a long acquisition is waiting for.
  std::function<void(const std::string&)> log = [](const std::string&) {};
};

/// Holds the run directory for one live run: the file run.lock, JSON {host, pid, job, start, nonce,
/// counter, boot_id, pid_namespace, start_ticks}, without flock, which network file systems lack.
///
/// It is made with all its content at once and only if there is none. A thread of its own rewrites
/// it in place every beat_seconds with the counter raised. An existing lock of this host is held if
/// its process lives (pid and start time), stale if not or if the host was booted since. A lock of
/// another host is watched for stale_seconds by this host's monotonic clock: a counter that moves
/// means held. A stale lock is replaced by rename, and the lock is ours if after settle_seconds it
/// still has our nonce. Whoever reads a foreign nonce has lost the lock and must publish nothing.
///
/// Hold it on one rank. still_ours() and require() may be called from any thread.
class RunLock {
 public:
  /// Acquires the lock of `run_dir`, which must exist. Throws kLocked naming the holder,
  /// kCannotCreate if run.lock is no regular file or cannot be made.
  RunLock(const std::string& run_dir, RunLockOptions options = {});
  /// Ends the beats and removes run.lock if it is still ours.
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Reads run.lock: false for ever once it holds a foreign nonce or is gone.
  bool still_ours();
  /// Throws kLocked unless still_ours().
  void require();
  /// Who held the lock that was taken over: "nodeA pid 4711 since 09:12".
  const std::optional<std::string>& taken_over_from() const { return taken_over_from_; }

 private:
  void acquire();
  bool take_free(const std::string& own_file);
  // Both return false if the lock has vanished.
  bool watch(const std::string& stale_text, const std::string& who) const;
  bool take_over(const std::string& stale_text, const std::string& own_file);
  std::string own_text() const;
  bool has_own_nonce();
  void beat();

  Directory directory_;
  RunLockOptions options_;
  std::string nonce_;
  std::string start_;
  std::optional<OutputFile> file_;  // our lock, whatever stands under its name
  std::uint64_t counter_ = 0;
  std::optional<std::string> taken_over_from_;
  std::mutex mutex_;  // guards what follows and the writing of the file
  bool lost_ = false;
  std::condition_variable ended_;
  bool ending_ = false;
  std::thread heart_;
};

}  // namespace pretrain
