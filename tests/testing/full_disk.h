#pragma once

#include <sys/resource.h>

#include <csignal>
#include <cstddef>

namespace pretrain::testing {

/// While it lives no file of this process grows past kBytes: writes fail as on a full disk. There
/// is room for what a test prints.
class FullDisk {
 public:
  static constexpr std::size_t kBytes = std::size_t{1} << 16;
  FullDisk() {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{kBytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

}  // namespace pretrain::testing
