#pragma once

#include <string>
#include <string_view>

namespace pretrain {

/// An open file, closed when this goes. Movable. Not thread-safe.
class WritableFile {
 public:
  WritableFile() = default;
  /// Takes over `fd`; `path` names it in messages.
  WritableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  WritableFile(WritableFile&& other) noexcept;
  WritableFile& operator=(WritableFile&& other) noexcept;
  ~WritableFile();

  int get() const { return fd_; }
  const std::string& path() const { return path_; }

  /// Writes all bytes: one write(2), more only if the system takes a part. Throws Error with
  /// kCannotCreate if the file cannot grow, else kIo.
  void write(std::string_view bytes) const;
  /// Waits until the content is on the disk. Throws Error(kIo).
  void sync() const;
  /// Closes and throws Error(kIo) if that fails, as network file systems may report a lost write
  /// only here.
  void close();

 private:
  int fd_ = -1;
  std::string path_;
};

/// Text of an errno value, the same in every locale: "No space left on device".
std::string error_text(int error_number);

}  // namespace pretrain
