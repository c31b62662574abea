#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace pretrain {

/// A call to the operating system that changes a file or directory, shown before it is made.
struct FileOperation {
  /// mkdir, create, append, fallocate, pwrite, fsync, close, rename, rename_new, unlink, rmdir
  const char* name;
  std::string path;
  std::string target = {};               ///< new path of a rename
  std::uint64_t offset = 0;              ///< pwrite: first byte; fallocate: size in bytes
  std::span<const std::byte> data = {};  ///< pwrite
};

/// Returns 0 to let the operation happen, or the errno it is to fail with instead.
using FileObserver = std::function<int(const FileOperation&)>;

/// While it lives, `observer` sees every operation that core/base/files/directory.h makes on this
/// thread; it replaces the thread's former observer. For tests: journals, injected faults, kills.
class ScopedFileObserver {
 public:
  explicit ScopedFileObserver(FileObserver observer);
  ~ScopedFileObserver();
  ScopedFileObserver(const ScopedFileObserver&) = delete;
  ScopedFileObserver& operator=(const ScopedFileObserver&) = delete;

 private:
  FileObserver observer_;
  const FileObserver* outer_;
};

/// Asks this thread's observer; 0 without one.
int observe_file_operation(const FileOperation& operation);

}  // namespace pretrain
