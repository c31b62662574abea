#pragma once

#include <sys/types.h>

#include <cstddef>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/base/files/file.h"

namespace pretrain {

/// A regular file mapped read-only into memory. Immutable; safe to share between threads.
///
/// Reading bytes() of a file that somebody shortened raises SIGBUS. The process's SIGBUS handler
/// asks mapped_file_at() for the name and leaves with kBadData.
class MappedFile {
 public:
  /// Throws kBadData if `path` is missing or no regular file, kIo if it cannot be read or mapped.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Says to the kernel that `bytes` (a part of bytes()) are read in no order.
  void advise_random(std::span<const std::byte> part) const;
  /// ... that they are read soon.
  void advise_soon(std::span<const std::byte> part) const;
  /// Share of some 256 places of `part` that the kernel holds in memory now; 1 if it does not say.
  double resident_share(std::span<const std::byte> part) const;
  /// Compares size and time of change with those at the opening. Throws kBadData if the file was
  /// written or shortened since; returns a warning if another file now lies at path() (the mapped
  /// one stays in use), else nullopt.
  std::optional<std::string> check_unchanged() const;

 private:
  std::string path_;
  FileDescriptor descriptor_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  timespec modified_{};
};

/// Path of the MappedFile that `address` belongs to, or nullptr. Safe in a signal handler.
const char* mapped_file_at(const void* address);

}  // namespace pretrain
