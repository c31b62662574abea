#include "core/metrics/sink.h"

#include <utility>

#include "core/base/logging.h"

namespace pretrain {

Sink::Sink(const std::string& path, SinkLost on_lost) : path_(path), on_lost_(std::move(on_lost)) {
  try {
    file_.emplace(path);
  } catch (const UnsafeFile&) {
    throw;
  } catch (const Error& error) {
    lose(error.what());
  }
}

void Sink::append(std::string_view bytes) {
  guarded([&](AppendFile& file) { file.append(bytes); });
}

void Sink::sync() {
  guarded([](AppendFile& file) { file.sync(); });
}

void Sink::mend_torn_line() {
  guarded([](AppendFile& file) {
    if (file.ends_torn()) file.append("\n");
  });
}

bool Sink::lost() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return !file_.has_value();
}

void Sink::guarded(const std::function<void(AppendFile&)>& action) {
  std::string reason;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!file_) return;
    try {
      action(*file_);
      return;
    } catch (const Error& error) {
      reason = error.what();
      file_.reset();
    }
  }
  // Outside the lock, because the warning and the callback may come back to this sink.
  lose(reason);
}

void Sink::lose(const std::string& reason) {
  log_warning(reason + ". Training goes on without this file");
  if (on_lost_) on_lost_(path_, reason);
}

}  // namespace pretrain
