#include "core/metrics/jsonl_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/base/files/replace_file.h"
#include "core/base/logging.h"

namespace pretrain {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20;

WritableFile open_to_read(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) fail(ExitCode::kIo, path, ": cannot open: ", error_text(errno));
  WritableFile file(fd, path);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    fail(ExitCode::kIo, path, ": is not a regular file");
  }
  return file;
}

std::size_t read_some(const WritableFile& file, std::vector<char>& buffer) {
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) {
      fail(ExitCode::kIo, file.path(), ": cannot read: ", error_text(errno));
    }
  }
}

/// Calls `line` for each line that ends in a newline, with it; lines over kLongestLine are skipped.
/// Returns true if every byte of the file was shown.
bool for_each_line(const std::string& path, const std::function<void(std::string_view)>& line) {
  const WritableFile file = open_to_read(path);
  std::vector<char> buffer(std::size_t{1} << 16);
  std::string pending;
  bool too_long = false;
  bool complete = true;
  while (const std::size_t size = read_some(file, buffer)) {
    std::string_view rest(buffer.data(), size);
    while (!rest.empty()) {
      const std::size_t newline = rest.find('\n');
      const std::size_t taken = newline == std::string_view::npos ? rest.size() : newline + 1;
      if (!too_long) pending += rest.substr(0, taken);
      rest.remove_prefix(taken);
      if (pending.size() > kLongestLine) {
        pending.clear();
        too_long = true;
        complete = false;
      }
      if (newline == std::string_view::npos) continue;
      if (!too_long) line(pending);
      pending.clear();
      too_long = false;
    }
  }
  return complete && pending.empty();
}

bool belongs(std::string_view line, std::int64_t last_step) {
  const auto object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object()) return false;
  const auto step = object.find("step");
  return step != object.end() && step->is_number() &&
         step->get<double>() <= static_cast<double>(last_step);
}

void rewrite(const std::string& path, std::int64_t last_step) {
  ReplacementFile kept(path);
  std::string batch;
  bool all = true;
  const bool complete = for_each_line(path, [&](std::string_view line) {
    if (!belongs(line, last_step)) {
      all = false;
      return;
    }
    batch += line;
    if (batch.size() < kLongestLine) return;
    kept.write(batch);
    batch.clear();
  });
  if (all && complete) return;
  kept.write(batch);
  kept.publish(true);
}

}  // namespace

JsonlWriter::JsonlWriter(const std::string& path, SinkLost on_lost)
    : sink_(path, std::move(on_lost)) {
  sink_.mend_torn_line();
}

bool cut_back(const std::string& path, std::int64_t last_step) {
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return true;
  try {
    rewrite(path, last_step);
    return true;
  } catch (const Error& error) {
    log_warning(concat(error.what(), ". Lines after step ", last_step, " stay in it"));
    return false;
  }
}

}  // namespace pretrain
