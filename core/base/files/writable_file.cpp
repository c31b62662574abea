#include "core/base/files/writable_file.h"

#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/base/error.h"

namespace pretrain {
namespace {

bool cannot_grow(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG ||
         error_number == EROFS;
}

}  // namespace

WritableFile::WritableFile(WritableFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

WritableFile& WritableFile::operator=(WritableFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

WritableFile::~WritableFile() {
  if (fd_ >= 0) ::close(fd_);
}

void WritableFile::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t taken = ::write(fd_, bytes.data(), bytes.size());
    if (taken < 0) {
      if (errno == EINTR) continue;
      const int error = errno;
      fail(cannot_grow(error) ? ExitCode::kCannotCreate : ExitCode::kIo, path_,
           ": cannot write: ", error_text(error));
    }
    bytes.remove_prefix(static_cast<std::size_t>(taken));
  }
}

void WritableFile::sync() const {
  if (::fdatasync(fd_) != 0) {
    fail(ExitCode::kIo, path_, ": cannot sync: ", error_text(errno));
  }
}

void WritableFile::close() {
  if (::close(std::exchange(fd_, -1)) != 0) {
    fail(ExitCode::kIo, path_, ": cannot close: ", error_text(errno));
  }
}

std::string error_text(int error_number) {
  const char* text = ::strerrordesc_np(error_number);
  return text != nullptr ? text : concat("error ", error_number);
}

}  // namespace pretrain
