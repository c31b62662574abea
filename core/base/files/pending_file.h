#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace pretrain {

/// The bytes of a regular file. Throws kBadData if it is missing, no regular file or longer than
/// `max_bytes`; kIo if it cannot be read.
std::string read_file(const std::string& path, std::uint64_t max_bytes);

/// A new file that takes its final name only when it is complete and on disk. It lies beside its
/// final place under a random name (mode 0640 less umask) and vanishes with this object unless it
/// was published. Every failed write throws: kCannotCreate with path, need and free space if the
/// disk or a quota is full or the folder refuses; kIo otherwise. Not thread-safe.
class PendingFile {
 public:
  /// `path`: the final name, for messages and publish().
  explicit PendingFile(std::string path);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_path_; }
  /// Reserves disk space so that the file can hold `bytes`; keeps its content.
  void reserve(std::uint64_t bytes);
  void append(std::span<const std::byte> bytes);
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  void read_at(std::uint64_t offset, std::span<std::byte> bytes) const;
  std::uint64_t size() const;
  /// Waits until the content is on disk.
  void sync();
  /// Removes the name at once; the content lives as long as this object. For scratch files.
  void unlink();
  /// Renames to path(), replacing what is there. Call sync() before, sync_folder() after.
  void publish();

 private:
  [[noreturn]] void refuse(const char* action, int error, std::uint64_t need) const;

  std::string path_;
  std::string temporary_path_;
  int descriptor_ = -1;
  bool named_ = true;
};

/// Makes renames in the folder of `path` durable. Throws kIo.
void sync_folder(const std::string& path);

}  // namespace pretrain
