#include "launch/config/open_config.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/files/file.h"
#include "core/config/config_loader.h"

namespace pretrain {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{1} << 20;

RunConfig open_run(const std::string& run, const std::vector<std::string>& overrides) {
  const std::string place = (fs::path(run) / "config.resolved.yaml").string();
  if (!fs::exists(place)) {
    fail(ExitCode::kBadData, run, ": is a directory, expected a configuration (YAML) or the ",
         "directory of a run, which has config.resolved.yaml");
  }
  const std::string text = InputFile::open(place).text(kMaxConfigBytes);
  RunConfig config = read_config(parse_config_text(text, place, overrides), "");
  std::error_code error;
  if (fs::equivalent(run, config.run.dir, error) && !error) return config;
  // It was moved, or is looked at from elsewhere.
  std::vector<std::string> words{"run.dir=" + run};
  words.insert(words.end(), overrides.begin(), overrides.end());
  return read_config(parse_config_text(text, place, words), "");
}

}  // namespace

RunConfig open_config(const std::string& path, const std::vector<std::string>& overrides) {
  if (fs::is_directory(path)) return open_run(path, overrides);
  return read_config(load_config(path, overrides).root, fs::path(path).stem().string());
}

std::string given_config(const std::string& path) {
  const fs::path file = fs::is_directory(path) ? fs::path(path) / "config.yaml" : fs::path(path);
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace pretrain
