#include "core/base/files/pending_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iomanip>

#include "core/base/error.h"
#include "core/base/files/file.h"
#include "core/base/files/mapped_file.h"

namespace pretrain {
namespace {

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string random_name(const std::string& path) {
  std::uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) {
    fail(ExitCode::kInternal, path, ": the kernel gives no random bytes");
  }
  const std::filesystem::path final_path(path);
  return (final_path.parent_path() /
          concat(".", final_path.filename().string(), ".tmp-", std::hex, number))
      .string();
}

}  // namespace

std::string read_file(const std::string& path, std::uint64_t max_bytes) {
  const MappedFile file(path);
  if (file.bytes().size() > max_bytes) {
    fail(ExitCode::kBadData, path, ": has ", format_bytes(file.bytes().size()), ", at most ",
         format_bytes(max_bytes), " are read. Check that it is the right file");
  }
  return std::string(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
}

PendingFile::PendingFile(std::string path)
    : path_(std::move(path)), temporary_path_(random_name(path_)) {
  descriptor_ = open(temporary_path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (descriptor_ < 0) refuse("cannot be created", errno, 0);
}

PendingFile::~PendingFile() {
  if (named_) ::unlink(temporary_path_.c_str());
  close(descriptor_);
}

void PendingFile::refuse(const char* action, int error, std::uint64_t need) const {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  if (full) {
    struct statvfs disk {};
    const bool known = statvfs(folder_of(path_).c_str(), &disk) == 0;
    const std::uint64_t free = known ? std::uint64_t{disk.f_bavail} * disk.f_frsize : 0;
    fail(ExitCode::kCannotCreate, path_, ": ", action, ", needs ", format_bytes(need), ", ",
         format_bytes(free), " are free (", std::strerror(error),
         "). Free space or write to another disk");
  }
  const bool refused = error == EACCES || error == EPERM || error == EROFS || error == ENOENT ||
                       error == ENOTDIR || error == EISDIR || error == ENAMETOOLONG;
  fail(refused ? ExitCode::kCannotCreate : ExitCode::kIo, path_, ": ", action, ": ",
       std::strerror(error), ". Check that the folder exists and can be written to");
}

void PendingFile::reserve(std::uint64_t bytes) {
  const int error = posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes));
  // File systems without reservation say so; there a full disk shows when writing.
  if (error != 0 && error != EOPNOTSUPP && error != EINVAL) {
    refuse("cannot grow", error, bytes);
  }
}

void PendingFile::append(std::span<const std::byte> bytes) { write_at(size(), bytes); }

void PendingFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse("cannot be written", errno, offset + bytes.size());
    offset += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void PendingFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      fail(ExitCode::kIo, temporary_path_,
           ": cannot be read back: ", n < 0 ? std::strerror(errno) : "it is shorter than written");
    }
    offset += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

std::uint64_t PendingFile::size() const {
  struct stat info {};
  if (fstat(descriptor_, &info) != 0) refuse("cannot be examined", errno, 0);
  return static_cast<std::uint64_t>(info.st_size);
}

void PendingFile::sync() {
  if (fsync(descriptor_) != 0) refuse("cannot be made durable", errno, size());
}

void PendingFile::unlink() {
  if (::unlink(temporary_path_.c_str()) != 0) refuse("cannot be unlinked", errno, 0);
  named_ = false;
}

void PendingFile::publish() {
  if (std::rename(temporary_path_.c_str(), path_.c_str()) != 0) {
    refuse("cannot be renamed into place", errno, 0);
  }
  named_ = false;
}

void sync_folder(const std::string& path) {
  const std::string folder = folder_of(path);
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(ExitCode::kIo, folder, ": ", std::strerror(errno));
  const int failed = fsync(descriptor);
  const int error = errno;
  close(descriptor);
  if (failed != 0) fail(ExitCode::kIo, folder, ": cannot be made durable: ", std::strerror(error));
}

}  // namespace pretrain
