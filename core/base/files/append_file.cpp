#include "core/base/files/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace pretrain {
namespace {

void make_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return;
  // A failure shows, with its reason, when the file is opened.
  ::mkdir(path.substr(0, slash).c_str(), 0750);
}

[[noreturn]] void refuse(const std::string& path, const char* what) {
  throw UnsafeFile(concat(path, ": is ", what, ", expected a regular file of your own. Remove it"));
}

void check_own_regular(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    fail(ExitCode::kCannotCreate, path, ": cannot stat: ", error_text(errno));
  }
  if (!S_ISREG(info.st_mode)) refuse(path, "not a regular file");
  if (info.st_uid != ::geteuid()) refuse(path, "owned by another user");
  if (info.st_nlink != 1) refuse(path, "also known by another name (hard link)");
}

}  // namespace

AppendFile::AppendFile(const std::string& path) {
  make_folder_of(path);
  const int fd =
      ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
  if (fd < 0) {
    const int error = errno;
    if (error == ELOOP) refuse(path, "a symbolic link");
    if (error == EISDIR || error == ENXIO) refuse(path, "not a regular file");
    fail(ExitCode::kCannotCreate, path, ": cannot open: ", error_text(error));
  }
  file_ = WritableFile(fd, path);
  check_own_regular(fd, path);
}

bool AppendFile::ends_torn() const {
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0 || info.st_size == 0) return false;
  char last = '\n';
  return ::pread(file_.get(), &last, 1, info.st_size - 1) == 1 && last != '\n';
}

}  // namespace pretrain
