#include "core/base/files/file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/base/byte_size.h"
#include "core/base/error.h"
#include "core/base/files/file_observer.h"

namespace pretrain {
namespace {

// One call never moves more, so that a signal or a slow disk is noticed soon.
constexpr std::size_t kMaxTransfer = std::size_t{16} << 20;

bool cannot_create(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EROFS:
    case EACCES:
    case EPERM:
    case EEXIST:
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case ELOOP:
    case ENAMETOOLONG:
    case EMLINK:
    case ENXIO:  // a FIFO without a reader
      return true;
    default:
      return false;
  }
}

std::int64_t modification_time_ns(const struct stat& info) {
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

struct stat stat_of(const FileDescriptor& fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail_input(errno, path, "stat");
  return info;
}

/// Reads until `out` is full or the file ends; the number of bytes read.
std::size_t read_at(const FileDescriptor& fd, const std::string& path, std::uint64_t offset,
                    std::span<std::byte> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got =
        ::pread(fd.get(), out.data() + filled, std::min(out.size() - filled, kMaxTransfer),
                static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_input(errno, path, "read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

}  // namespace

void fail_output(int error, const std::string& path, const char* what) {
  fail(cannot_create(error) ? ExitCode::kCannotCreate : ExitCode::kIo, path, ": cannot ", what,
       ": ", error_text(error));
}

void fail_input(int error, const std::string& path, const char* what) {
  const bool input_is_bad =
      error != EIO && error != ESTALE && error != ENOMEM && error != EMFILE && error != ENFILE;
  fail(input_is_bad ? ExitCode::kBadData : ExitCode::kIo, path, ": cannot ", what, ": ",
       error_text(error), input_is_bad ? ". Check the path and the rights" : "");
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

OutputFile::OutputFile(FileDescriptor fd, std::string path)
    : fd_(std::move(fd)), path_(std::move(path)) {}

void OutputFile::fail_write(int error, const char* what, std::uint64_t bytes) const {
  struct statvfs info {};
  if ((error != ENOSPC && error != EDQUOT) || ::fstatvfs(fd_.get(), &info) != 0) {
    fail_output(error, path_, what);
  }
  fail(ExitCode::kCannotCreate, path_, ": cannot ", what, ": ", error_text(error), ": ",
       format_bytes(bytes), " needed, ",
       format_bytes(std::uint64_t{info.f_bavail} * std::uint64_t{info.f_frsize}),
       " free. Free space or raise the quota");
}

void OutputFile::reserve(std::uint64_t bytes) {
  if (bytes == 0) return;
  int error = observe_file_operation({"fallocate", path_, {}, bytes});
  while (error == 0 && ::fallocate(fd_.get(), 0, 0, static_cast<off_t>(bytes)) != 0) {
    if (errno != EINTR) error = errno;
  }
  if (error != 0 && error != EOPNOTSUPP && error != ENOSYS) fail_write(error, "reserve", bytes);
}

void OutputFile::write(std::span<const std::byte> bytes) {
  write_at(offset_, bytes);
  offset_ += bytes.size();
}

void OutputFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kMaxTransfer));
    const int injected = observe_file_operation({"pwrite", path_, {}, offset, part});
    if (injected != 0) fail_write(injected, "write", bytes.size());
    const ssize_t written =
        ::pwrite(fd_.get(), part.data(), part.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_write(written < 0 ? errno : EIO, "write", bytes.size());
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void OutputFile::read_back(std::uint64_t offset, std::span<std::byte> out) const {
  if (read_at(fd_, path_, offset, out) != out.size()) {
    fail(ExitCode::kIo, path_, ": is shorter than what was written to it");
  }
}

std::uint64_t OutputFile::size() const {
  return static_cast<std::uint64_t>(stat_of(fd_, path_).st_size);
}

void OutputFile::sync() {
  const int injected = observe_file_operation({"fsync", path_});
  if (injected != 0) fail_write(injected, "fsync", 0);
  while (::fsync(fd_.get()) != 0) {
    if (errno != EINTR) fail_write(errno, "fsync", 0);
  }
}

void OutputFile::close() {
  const int injected = observe_file_operation({"close", path_});
  if (injected != 0) fail_write(injected, "close", 0);
  // After EINTR the descriptor is gone on Linux; a second close could hit another file.
  if (::close(fd_.release()) != 0 && errno != EINTR) fail_output(errno, path_, "close");
}

InputFile::InputFile(FileDescriptor fd, std::string path)
    : fd_(std::move(fd)), path_(std::move(path)) {
  const struct stat info = stat_of(fd_, path_);
  if (!S_ISREG(info.st_mode)) fail(ExitCode::kBadData, path_, ": is not a regular file");
  size_ = static_cast<std::uint64_t>(info.st_size);
  modified_ns_ = modification_time_ns(info);
}

InputFile InputFile::open(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) fail_input(errno, path, "open");
  return InputFile(std::move(fd), path);
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::size_t got = read_at(fd_, path_, offset, out);
  if (got < out.size()) {
    fail(ExitCode::kBadData, path_, ": ends at byte ", offset + got, ", ", out.size() - got,
         " more bytes expected. Copy it again");
  }
}

std::string InputFile::text(std::size_t max_bytes) const {
  if (size_ > max_bytes) {
    fail(ExitCode::kBadData, path_, ": has ", size_, " bytes, expected at most ", max_bytes,
         ". Check that it is the right file");
  }
  std::string text(size_, '\0');
  read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

void InputFile::require_unchanged() const {
  const struct stat info = stat_of(fd_, path_);
  if (static_cast<std::uint64_t>(info.st_size) != size_ ||
      modification_time_ns(info) != modified_ns_) {
    fail(ExitCode::kBadData, path_, ": was changed while it was being read. Start again");
  }
}

std::string error_text(int error) { return std::generic_category().message(error); }

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string random_hex(std::size_t bytes) {
  std::string random(bytes, '\0');
  for (std::size_t filled = 0; filled < bytes;) {
    const ssize_t got = ::getrandom(random.data() + filled, bytes - filled, 0);
    if (got < 0 && errno != EINTR) fail_output(errno, "getrandom", "draw a random name");
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : random) {
    text += kDigits[(byte >> 4) & 15];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string unique_name(const std::string& stem) { return concat(stem, '-', random_hex(8)); }

}  // namespace pretrain
