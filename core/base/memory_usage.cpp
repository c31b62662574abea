#include "core/base/memory_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/base/error.h"

namespace pretrain {
namespace {

rusage usage() {
  rusage result{};
  getrusage(RUSAGE_SELF, &result);
  return result;
}

using Bytes = std::optional<std::int64_t>;

Bytes smaller(Bytes a, Bytes b) { return a && b ? std::min(*a, *b) : a ? a : b; }

// Empty if the file is missing or says "max", the word for no limit.
Bytes read_limit(const std::string& file) {
  std::int64_t limit = 0;
  if (std::ifstream in(file); in >> limit) return limit;
  return {};
}

// A limit holds for everything below it, so the path is walked up to the root. Inside a container
// the path may be the host's and not exist here; then only the root, which is our group, counts.
Bytes limit_along(const std::string& root, std::string path, const char* file) {
  Bytes limit;
  while (!path.empty() && path != "/") {
    limit = smaller(limit, read_limit(root + path + "/" + file));
    path.erase(path.rfind('/'));
  }
  return smaller(limit, read_limit(root + "/" + file));
}

Bytes cgroup_limit(const std::string& proc, const std::string& cgroup) {
  Bytes limit;
  std::ifstream groups(proc + "/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // "0::/path" is version 2; "5:cpu,memory:/path" is version 1.
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos || line.substr(second + 1, 1) != "/") continue;
    const std::string controllers = concat(",", line.substr(first + 1, second - first - 1), ",");
    const std::string path = line.substr(second + 1);
    if (controllers == ",,") {
      limit = smaller(limit, limit_along(cgroup, path, "memory.max"));
    } else if (controllers.find(",memory,") != std::string::npos) {
      limit = smaller(limit, limit_along(cgroup + "/memory", path, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

Bytes machine_memory(const std::string& proc) {
  std::ifstream info(proc + "/meminfo");
  for (std::string line; std::getline(info, line);) {
    std::istringstream words(line);
    std::string name;
    std::int64_t kib = 0;
    if (words >> name >> kib && name == "MemTotal:") return kib * 1024;
  }
  return {};
}

}  // namespace

std::optional<std::int64_t> resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  if (statm >> total >> resident) return resident * sysconf(_SC_PAGESIZE);
  return {};
}

std::int64_t peak_resident_bytes() { return std::int64_t{usage().ru_maxrss} * 1024; }

std::int64_t minor_faults() { return usage().ru_minflt; }

std::optional<std::int64_t> memory_limit_bytes(const std::string& proc, const std::string& cgroup) {
  return smaller(cgroup_limit(proc, cgroup), machine_memory(proc));
}

}  // namespace pretrain
