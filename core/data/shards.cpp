#include "core/data/shards.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "core/base/error.h"

namespace pretrain {
namespace {

std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  const int outcome = ::glob(pattern.c_str(), GLOB_NOSORT | GLOB_ERR, nullptr, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  if (outcome != 0 && outcome != GLOB_NOMATCH) {
    fail(ExitCode::kIo, pattern, ": cannot list the files that match");
  }
  return paths;
}

std::vector<std::string> corpora_in(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".h5") paths.push_back(entry.path().string());
  }
  if (error) fail(ExitCode::kIo, folder, ": cannot list it: ", error.message());
  return paths;
}

}  // namespace

std::vector<std::string> shard_paths(const std::string& path) {
  const bool is_folder = std::filesystem::is_directory(path);
  const bool is_glob = path.find_first_of("*?[") != std::string::npos;
  if (!is_folder && (!is_glob || std::filesystem::exists(path))) return {path};
  std::vector<std::string> paths = is_folder ? corpora_in(path) : matches(path);
  if (paths.empty()) {
    fail(ExitCode::kBadData, path, is_folder ? ": holds no corpus (*.h5)" : ": no file matches",
         ". Make one: pretrain corpus build NAME.h5 --tokenizer byte TEXT");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace pretrain
