#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace pretrain {

/// What an isolated call may use.
struct IsolationLimits {
  unsigned cpu_seconds = 30;
  unsigned wall_seconds = 60;
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;  ///< on top of what the process has mapped
  std::size_t reply_bytes = 64 << 10;
};

/// Runs `work` in a forked child and returns the text it returns. For libraries that may crash,
/// hang or run out of memory on hostile files: the child has the limits above, no open files but
/// the standard ones (all /dev/null), gains no privileges and leaves no core dump.
///
/// An Error thrown by `work` is thrown here again. A child that dies, is late or says too much:
/// kBadData with a message that starts with `place`. kIo if there can be no child.
///
/// Must not run while other threads of this process use a library that `work` uses.
std::string run_isolated(const std::string& place, const std::function<std::string()>& work,
                         const IsolationLimits& limits = {});

}  // namespace pretrain
