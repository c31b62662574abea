#include "core/data/corpus/build/output_files.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <regex>
#include <set>

#include "core/base/error.h"
#include "core/base/files/directory.h"

namespace pretrain {
namespace {

constexpr const char* kShard = "(-[0-9]{5,}-of-[0-9]{5,})?";
constexpr const char* kEnding = "[.](h5|manifest[.]json|tokenizer[.]json|report[.]json)";
constexpr const char* kNonce = "-[0-9a-f]{16}";  // of unique_name

}  // namespace

OutputFiles::OutputFiles(const std::string& path) : path_(path) {
  const std::filesystem::path output(path);
  if (output.extension() != ".h5" || output.stem().empty()) {
    fail(ExitCode::kUsage, path, ": a corpus is named NAME.h5. Add .h5");
  }
  stem_ = path.substr(0, path.size() - 3);
}

std::string OutputFiles::shard(std::size_t index, std::size_t count, bool sharded) const {
  if (!sharded) return path_;
  char numbers[64];
  std::snprintf(numbers, sizeof numbers, "-%05zu-of-%05zu.h5", index, count);
  return stem_ + numbers;
}

std::vector<std::string> OutputFiles::matching(const std::string& begin,
                                               const std::string& end) const {
  const std::string name = std::filesystem::path(stem_).filename().string();
  const std::regex pattern(end);
  const std::string folder = parent_of(path_);
  std::vector<std::string> found;
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) return found;
  for (const std::string& entry : Directory::open(folder).list()) {
    const std::string start = begin + name;
    if (entry.starts_with(start) && std::regex_match(entry.substr(start.size()), pattern)) {
      found.push_back(folder == "." && path_.find('/') == std::string::npos ? entry
                                                                            : folder + "/" + entry);
    }
  }
  return found;
}

std::vector<std::string> OutputFiles::existing() const {
  return matching("", concat(kShard, kEnding));
}

std::vector<std::string> OutputFiles::unfinished() const {
  return matching("tmp-", concat(kShard, kEnding, kNonce));
}

std::vector<bool> OutputFiles::owns(const std::vector<std::string>& files) const {
  const auto canonical = [](const std::string& file) {
    return std::filesystem::weakly_canonical(file);
  };
  std::set<std::filesystem::path> made;
  for (const std::string& file : existing()) made.insert(canonical(file));
  for (const std::string& file : unfinished()) made.insert(canonical(file));
  const std::filesystem::path work = canonical(build_folder());
  std::vector<bool> owned;
  for (const std::string& file : files) {
    const std::filesystem::path path = canonical(file);
    const auto [end, ignored] = std::mismatch(work.begin(), work.end(), path.begin(), path.end());
    owned.push_back(end == work.end() || made.contains(path));
  }
  return owned;
}

}  // namespace pretrain
