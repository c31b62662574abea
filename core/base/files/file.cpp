#include "core/base/files/file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <system_error>

#include "core/base/error.h"
#include "core/base/files/file_observer.h"

namespace pretrain {
namespace {

// One call never moves more, so that a signal or a slow disk is noticed soon.
constexpr std::size_t kMaxTransfer = std::size_t{16} << 20;

std::string reason(int error) { return std::generic_category().message(error); }

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

}  // namespace

void fail_output(int error, const std::string& path, const char* what) {
  fail(cannot_create(error) ? ExitCode::kCannotCreate : ExitCode::kIo, path, ": cannot ", what,
       ": ", reason(error));
}

void fail_input(int error, const std::string& path, const char* what) {
  const bool input_is_bad =
      error != EIO && error != ESTALE && error != ENOMEM && error != EMFILE && error != ENFILE;
  fail(input_is_bad ? ExitCode::kBadData : ExitCode::kIo, path, ": cannot ", what, ": ",
       reason(error));
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
  fail(ExitCode::kCannotCreate, path_, ": cannot ", what, ": ", reason(error), ": ",
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
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kMaxTransfer));
    const int injected = observe_file_operation({"pwrite", path_, {}, offset_, part});
    if (injected != 0) fail_write(injected, "write", bytes.size());
    const ssize_t written =
        ::pwrite(fd_.get(), part.data(), part.size(), static_cast<off_t>(offset_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_write(written < 0 ? errno : EIO, "write", bytes.size());
    offset_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void OutputFile::rewrite(std::string_view text) {
  offset_ = 0;
  write(text);
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

void InputFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd_.get(), out.data(), std::min(out.size(), kMaxTransfer),
                                static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_input(errno, path_, "read");
    if (got == 0) {
      fail(ExitCode::kBadData, path_, ": ends at byte ", offset, ", ", out.size(),
           " more bytes expected. Copy it again");
    }
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

void InputFile::require_unchanged() const {
  const struct stat info = stat_of(fd_, path_);
  if (static_cast<std::uint64_t>(info.st_size) != size_ ||
      modification_time_ns(info) != modified_ns_) {
    fail(ExitCode::kBadData, path_, ": was changed while it was being read. Start again");
  }
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return concat(bytes, " B");
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  const auto tenths = std::llround(value * 10);
  return concat(tenths / 10, ".", tenths % 10, " ", kUnits[unit]);
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
