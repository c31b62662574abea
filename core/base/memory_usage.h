#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pretrain {

/// What memory this process holds. Unknown values are empty: no run stops for them.

/// Resident bytes now (/proc/self/statm).
std::optional<std::int64_t> resident_bytes();
/// Largest resident bytes since the start of the process (getrusage).
std::int64_t peak_resident_bytes();
/// Page faults served without disk since the start of the process. A growing number in a steady
/// state means that each step allocates.
std::int64_t minor_faults();
/// Bytes that the processes of this group may hold together: the smallest limit of the cgroups
/// (v1 or v2) this process is in and of the machine's memory. The folders are for tests.
std::optional<std::int64_t> memory_limit_bytes(const std::string& proc = "/proc",
                                               const std::string& cgroup = "/sys/fs/cgroup");

}  // namespace pretrain
