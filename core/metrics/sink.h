#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/files/append_file.h"

namespace pretrain {

/// Called once when a side output is lost: its path and the reason. It may log and write to other
/// sinks.
using SinkLost = std::function<void(const std::string& path, const std::string& reason)>;

/// A side output that may be lost but never stops training: the first failure closes it with one
/// warning, and what is written later is dropped. Thread-safe.
class Sink {
 public:
  /// Opens `path` as AppendFile does. Throws UnsafeFile and nothing else.
  Sink(const std::string& path, SinkLost on_lost);

  void append(std::string_view bytes);
  /// Waits until the content is on the disk.
  void sync();
  /// Ends a line that a crash left torn, so that the next one stays readable.
  void mend_torn_line();
  bool lost() const;

 private:
  void guarded(const std::function<void(AppendFile&)>& action);
  void lose(const std::string& reason);

  std::string path_;
  SinkLost on_lost_;
  mutable std::mutex mutex_;
  std::optional<AppendFile> file_;  // empty: lost
};

}  // namespace pretrain
