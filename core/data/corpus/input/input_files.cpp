#include "core/data/corpus/input/input_files.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/files/file.h"

namespace pretrain {
namespace {

bool is_hidden(const std::filesystem::path& path) {
  return path.filename().string().starts_with('.');
}

void add_folder(const std::string& folder, std::vector<std::string>& files) {
  const std::size_t before = files.size();
  std::error_code error;
  auto entry = std::filesystem::recursive_directory_iterator(folder, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(error)) {
    if (is_hidden(entry->path())) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file(error)) {
      files.push_back(entry->path().string());
    }
  }
  if (error) fail(ExitCode::kBadData, folder, ": cannot list: ", error.message());
  if (files.size() == before) {
    fail(ExitCode::kBadData, folder, ": holds no file. Name a folder with text files");
  }
  std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
}

void add_pattern(const std::string& pattern, std::vector<std::string>& files) {
  glob_t found{};
  const int status = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  std::vector<std::string> names(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (status != 0 || names.empty()) {
    fail(ExitCode::kBadData, pattern, ": no file matches. Check the pattern");
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (std::filesystem::is_directory(name)) {
      add_folder(name, files);
    } else {
      files.push_back(name);
    }
  }
}

}  // namespace

std::vector<std::string> input_files(const std::vector<std::string>& words) {
  std::vector<std::string> files;
  for (const std::string& word : words) {
    std::error_code ignored;
    if (word != "-" && std::filesystem::is_directory(word, ignored)) {
      add_folder(word, files);
    } else if (word.find_first_of("*?[") != std::string::npos &&
               !std::filesystem::exists(word, ignored)) {
      add_pattern(word, files);
    } else {
      files.push_back(word);
    }
  }
  return files;
}

InputIdentity input_identity(const std::string& path) {
  constexpr std::uint64_t kSample = 64 << 10;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) fail_input(errno, path, "open");
  InputIdentity identity{
      .path = path,
      .bytes = static_cast<std::uint64_t>(info.st_size),
      .modified_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec,
      .sample = {}};
  if (!S_ISREG(info.st_mode)) return identity;  // a pipe can be read once only
  const InputFile file = InputFile::open(path);
  const std::uint64_t size = std::min(kSample, file.size());
  std::string bytes(3 * size, '\0');
  const std::uint64_t last = file.size() - size;
  for (std::uint64_t i = 0; i < 3; ++i) {
    file.read(last / 2 * i, std::as_writable_bytes(std::span(bytes).subspan(i * size, size)));
  }
  identity.sample = xxh3_128_hex(std::as_bytes(std::span(bytes)));
  return identity;
}

std::string difference(const InputIdentity& before, const InputIdentity& now) {
  if (before.path != now.path) return concat("was ", before.path, ", is ", now.path);
  if (before.bytes != now.bytes) {
    return concat(now.path, " had ", before.bytes, " bytes, has ", now.bytes);
  }
  if (before.sample != now.sample) return now.path + " has other bytes";
  if (before.modified_ns != now.modified_ns) return now.path + " was written again";
  return {};
}

}  // namespace pretrain
