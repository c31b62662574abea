#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pretrain {

/// Where one rank runs.
struct RankPlace {
  std::string host;
  int threads = 1;
  std::string cpus;    ///< bound to these, like "0-3,8"
  std::string device;  ///< name and memory of its GPU; empty: none
};

/// The content of env.json: what a run ran on.
struct Environment {
  std::vector<std::pair<std::string, std::string>> versions;  ///< component, version
  std::vector<RankPlace> ranks;                               ///< by rank
  std::string launcher;                                       ///< "mpirun", "srun", "none"
  std::optional<std::string> git_commit;
  std::map<std::string, std::string> tags;       ///< run.tags
  std::map<std::string, std::string> variables;  ///< from listed_variables()
};

/// The variables of is_listed_variable (core/base/environment_variable.h) that are set.
std::map<std::string, std::string> listed_variables();
/// The CPUs this thread may run on, like "0-3,8"; empty if the system does not tell.
std::string allowed_cpus();

/// Replaces `path` by the environment as indented JSON. Throws Error with kCannotCreate or kIo.
void write_environment(const std::string& path, const Environment& environment);

}  // namespace pretrain
