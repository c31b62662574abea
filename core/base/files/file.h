#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace pretrain {

// Every file of a run is written and read through the classes of this folder. What they have in
// common:
// - Errors carry the path and the system's reason: kCannotCreate where an output cannot be made or
//   grow (full, read-only, no right, exists), kBadData where an input cannot be opened or is too
//   short, kIo for the rest. Interrupted calls are repeated; a failed fsync never is.
// - Names are relative to an open Directory, and a symbolic link in their place is never followed.
// - New files get mode 0640, new directories 0750, minus umask.
// - Objects may move between threads, but one thread uses them at a time.

inline constexpr unsigned kFileMode = 0640;
inline constexpr unsigned kDirectoryMode = 0750;

/// Owns an open file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// A file being written front to back, at any offset, or appended to. Data is durable after sync()
/// only.
class OutputFile {
 public:
  OutputFile(FileDescriptor fd, std::string path);

  /// Claims disk space for `bytes` bytes where the file system can, so that it is full now or
  /// never. The content stays.
  void reserve(std::uint64_t bytes);
  /// Writes behind what write() wrote last.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Fills `out` from byte `offset` of what was written.
  void read_back(std::uint64_t offset, std::span<std::byte> out) const;
  std::uint64_t size() const;
  void sync();
  /// Closes and reports what the system held back until now. The destructor closes silently.
  void close();
  const std::string& path() const { return path_; }

 private:
  [[noreturn]] void fail_write(int error, const char* what, std::uint64_t bytes) const;
  FileDescriptor fd_;
  std::string path_;
  std::uint64_t offset_ = 0;  // of the next write()
};

/// A regular file open for reading at any offset.
class InputFile {
 public:
  InputFile(FileDescriptor fd, std::string path);
  /// Opens a file that the user named: links are followed. Never waits for a FIFO's writer.
  static InputFile open(const std::string& path);

  std::uint64_t size() const { return size_; }  ///< when it was opened
  /// Fills `out` from byte `offset`; kBadData if the file ends before.
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  /// All of it; kBadData if that is more than `max_bytes` bytes.
  std::string text(std::size_t max_bytes) const;
  /// Throws kBadData if size or modification time differ from those at the opening.
  void require_unchanged() const;
  const std::string& path() const { return path_; }

 private:
  FileDescriptor fd_;
  std::string path_;
  std::uint64_t size_ = 0;
  std::int64_t modified_ns_ = 0;
};

/// Throws the Error of a failed system call: `path`: cannot `what`: reason of errno `error`.
[[noreturn]] void fail_output(int error, const std::string& path, const char* what);
[[noreturn]] void fail_input(int error, const std::string& path, const char* what);

/// Text of an errno value: "No space left on device".
std::string error_text(int error);
/// The directory a path lies in: "a" of "a/b", "." of "b".
std::string parent_of(const std::string& path);
/// `bytes` random bytes of the operating system as lower-case hex digits.
std::string random_hex(std::size_t bytes);
/// `stem` + "-" + 16 random hex digits.
std::string unique_name(const std::string& stem);

}  // namespace pretrain
