#include "core/metrics/environment.h"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/environment_variable.h"
#include "core/base/files/pending_file.h"
#include "core/metrics/metrics_record.h"

namespace pretrain {
namespace {

using Json = nlohmann::ordered_json;

Json ranks_json(const std::vector<RankPlace>& ranks) {
  Json list = Json::array();
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const RankPlace& place = ranks[rank];
    Json row{
        {"rank", rank}, {"host", place.host}, {"threads", place.threads}, {"cpus", place.cpus}};
    if (!place.device.empty()) row["device"] = place.device;
    list.push_back(row);
  }
  return list;
}

}  // namespace

std::map<std::string, std::string> listed_variables() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || !is_listed_variable(text.substr(0, equals))) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::string allowed_cpus() {
  constexpr std::string_view kKey = "Cpus_allowed_list:\t";
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, kKey.size(), kKey) == 0) return line.substr(kKey.size());
  }
  return {};
}

void write_environment(const std::string& path, const Environment& environment) {
  Json versions = Json::object();
  for (const auto& [name, version] : environment.versions) versions[name] = version;
  std::set<std::string> hosts;
  for (const RankPlace& place : environment.ranks) hosts.insert(place.host);
  Json content{{"v", kRecordVersion},
               {"t", utc_seconds()},
               {"versions", versions},
               {"git_commit", nullptr},
               {"hosts", hosts},
               {"launcher", environment.launcher},
               {"ranks", ranks_json(environment.ranks)},
               {"tags", environment.tags},
               {"variables", environment.variables}};
  if (environment.git_commit) content["git_commit"] = *environment.git_commit;
  replace_file(path, content.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
}

}  // namespace pretrain
