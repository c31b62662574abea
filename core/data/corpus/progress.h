#pragma once

#include <cstdint>
#include <functional>

namespace pretrain {

/// How far a long operation is.
struct Progress {
  const char* phase;            ///< "reading", "writing", "digesting", "verifying"
  std::uint64_t done;           ///< bytes
  std::uint64_t total;          ///< bytes; 0: not known
  const char* unit = nullptr;   ///< what is counted instead of bytes
  std::uint64_t documents = 0;  ///< done; 0: not counted
};

/// Called at least once a second of work, on the calling thread. May throw to end the operation,
/// which then cleans up after itself. May be empty.
using ProgressFunction = std::function<void(const Progress&)>;

}  // namespace pretrain
