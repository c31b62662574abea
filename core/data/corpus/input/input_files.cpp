#include "core/data/corpus/input/input_files.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <span>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/escape_control.h"
#include "core/base/files/file.h"
#include "core/data/corpus/input/file_kind.h"

namespace pretrain {
namespace {

bool is_hidden(const std::filesystem::path& path) {
  return path.filename().string().starts_with('.');
}

// "2 .json, 1 .pdf": how many there are of each ending.
std::string counted(const std::vector<std::string>& files) {
  std::map<std::string, std::size_t> counts;
  for (const std::string& file : files) {
    const bool about = file_kind(file) == FileKind::kAbout;
    ++counts[about ? std::filesystem::path(file).filename().string() : file_ending(file)];
  }
  std::string text;
  for (const auto& [ending, count] : counts) {
    text += concat(text.empty() ? "" : ", ", count, " ", escape_control(ending));
  }
  return text;
}

constexpr const char* kHowToTake = "To take a file, name it or a pattern; to take all: --format";

class Listing {
 public:
  explicit Listing(bool by_name) : by_name_(by_name) {}

  void add_word(const std::string& word) {
    std::error_code ignored;
    if (word != "-" && std::filesystem::is_directory(word, ignored)) {
      add_folder(word);
    } else if (word.find_first_of("*?[") != std::string::npos &&
               !std::filesystem::exists(word, ignored)) {
      add_pattern(word);
    } else {
      add_named(word);
    }
  }
  InputFiles take() { return std::move(found_); }

 private:
  [[noreturn]] static void refuse_empty(const std::string& folder,
                                        const std::vector<std::string>& passed_over) {
    if (passed_over.empty()) {
      fail(ExitCode::kBadData, folder, ": holds no file. Name a folder with text files");
    }
    const auto binary =
        std::find_if(passed_over.begin(), passed_over.end(),
                     [](const std::string& file) { return file_kind(file) == FileKind::kBinary; });
    fail(ExitCode::kBadData, folder, ": holds no file of text, JSONL or CSV, but ",
         counted(passed_over), ". ",
         binary == passed_over.end() ? kHowToTake : concat(*binary, " ", binary_advice(*binary)));
  }

  void add_named(const std::string& file) {
    if (by_name_ && file_kind(file) == FileKind::kBinary && std::filesystem::exists(file)) {
      fail(ExitCode::kBadData, file, ": ", binary_advice(file));
    }
    found_.files.push_back(file);
  }

  void add_folder(const std::string& folder) {
    std::vector<std::string> files, passed_over;
    std::error_code error;
    auto entry = std::filesystem::recursive_directory_iterator(folder, error);
    for (; !error && entry != std::filesystem::recursive_directory_iterator();
         entry.increment(error)) {
      if (is_hidden(entry->path())) {
        entry.disable_recursion_pending();
      } else if (entry->is_regular_file(error)) {
        const std::string file = entry->path().string();
        const bool taken = !by_name_ || is_taken_from_folders(file_kind(file));
        (taken ? files : passed_over).push_back(file);
      }
    }
    if (error) fail(ExitCode::kBadData, folder, ": cannot list: ", error.message());
    if (files.empty()) refuse_empty(folder, passed_over);
    std::sort(files.begin(), files.end());
    found_.files.insert(found_.files.end(), files.begin(), files.end());
    found_.passed_over.insert(found_.passed_over.end(), passed_over.begin(), passed_over.end());
  }

  void add_pattern(const std::string& pattern) {
    glob_t found{};
    const int status = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
    std::vector<std::string> names(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (status != 0 || names.empty()) {
      fail(ExitCode::kBadData, pattern, ": no file matches. Check the pattern");
    }
    std::sort(names.begin(), names.end());
    const std::size_t before = found_.files.size();
    for (const std::string& name : names) {
      if (std::filesystem::is_directory(name)) {
        add_folder(name);
      } else {
        const bool binary = by_name_ && file_kind(name) == FileKind::kBinary;
        (binary ? found_.passed_over : found_.files).push_back(name);
      }
    }
    if (found_.files.size() == before) add_named(names.front());
  }

  bool by_name_;
  InputFiles found_;
};

}  // namespace

InputFiles input_files(const std::vector<std::string>& words, bool by_name) {
  Listing listing(by_name);
  for (const std::string& word : words) listing.add_word(word);
  return listing.take();
}

std::string passed_over_text(const std::vector<std::string>& files) {
  if (files.empty()) return {};
  return concat("passed over: ", counted(files), ". ", kHowToTake);
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
