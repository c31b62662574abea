#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/files/file.h"

namespace pretrain {

/// Something stands under the name of a file to append to that a run never makes itself: a
/// symbolic link, no regular file, a file of another user, a file with a second hard link.
/// ExitCode kCannotCreate.
class UnsafeFile : public Error {
 public:
  explicit UnsafeFile(const std::string& message) : Error(ExitCode::kCannotCreate, message) {}
};

/// A regular file that only ever grows, by O_APPEND, so that lines of several processes do not
/// mix. Not thread-safe.
class AppendFile {
 public:
  /// Opens `path`, creating it and its folder (one level) if missing. Never blocks on a FIFO, never
  /// follows a symbolic link. Throws UnsafeFile, or Error(kCannotCreate).
  explicit AppendFile(const std::string& path);

  /// One write(2), so that a kill leaves at most one torn line. Throws kCannotCreate if the file
  /// cannot grow, else kIo.
  void append(std::string_view bytes) { file_.write(bytes); }
  /// Throws Error(kIo).
  void sync() { file_.sync(); }
  /// True if a crash or a full disk left the last line without its newline.
  bool ends_torn() const;

 private:
  OutputFile file_;
};

}  // namespace pretrain
