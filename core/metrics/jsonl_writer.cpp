#include "core/metrics/jsonl_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/files/directory.h"
#include "core/base/files/pending_file.h"
#include "core/base/json/json_reader.h"
#include "core/base/logging.h"

namespace pretrain {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20;

/// Calls `line` for each line that ends in a newline, with it; lines over kLongestLine are skipped.
/// Returns true if every byte of the file was shown.
bool for_each_line(const InputFile& file, const std::function<void(std::string_view)>& line) {
  std::vector<char> buffer(std::size_t{1} << 16);
  std::string pending;
  bool too_long = false;
  bool complete = true;
  for (std::uint64_t at = 0; at < file.size();) {
    const auto size = std::min<std::uint64_t>(buffer.size(), file.size() - at);
    std::string_view rest(buffer.data(), size);
    file.read(at, std::as_writable_bytes(std::span(buffer.data(), size)));
    at += size;
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
  try {
    const JsonValue value = parse_json(line, "line");
    return JsonReader(value, "line").at("step").number() <= static_cast<double>(last_step);
  } catch (const Error&) {
    return false;
  }
}

void rewrite(const InputFile& file, std::int64_t last_step) {
  PendingFile kept(file.path());
  std::string batch;
  bool all = true;
  const bool complete = for_each_line(file, [&](std::string_view line) {
    if (!belongs(line, last_step)) {
      all = false;
      return;
    }
    batch += line;
    if (batch.size() < kLongestLine) return;
    kept.content().write(batch);
    batch.clear();
  });
  if (all && complete) return;
  kept.content().write(batch);
  kept.content().sync();
  kept.publish();
}

}  // namespace

JsonlWriter::JsonlWriter(const std::string& path, SinkLost on_lost)
    : sink_(path, std::move(on_lost)) {
  sink_.mend_torn_line();
}

bool cut_back(const std::string& path, std::int64_t last_step) {
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return true;
  try {
    const std::string name = path.substr(path.rfind('/') + 1);
    rewrite(Directory::open_parent(path).open_file(name), last_step);
    return true;
  } catch (const Error& error) {
    log_warning(concat(error.what(), ". Lines after step ", last_step, " stay in it"));
    return false;
  }
}

}  // namespace pretrain
