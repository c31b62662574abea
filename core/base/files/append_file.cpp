#include "core/base/files/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/files/directory.h"
#include "core/base/files/file_observer.h"

namespace pretrain {
namespace {

[[noreturn]] void refuse(const std::string& path, const char* what) {
  throw UnsafeFile(concat(path, ": is ", what, ", expected a regular file of your own. Remove it"));
}

void check_own_regular(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) fail_output(errno, path, "stat");
  if (!S_ISREG(info.st_mode)) refuse(path, "not a regular file");
  if (info.st_uid != ::geteuid()) refuse(path, "owned by another user");
  if (info.st_nlink != 1) refuse(path, "also known by another name (hard link)");
}

OutputFile open_to_append(const std::string& path) {
  // A failure shows, with its reason, when the file is opened.
  ::mkdir(parent_of(path).c_str(), kDirectoryMode);
  const int injected = observe_file_operation({"append", path});
  if (injected != 0) fail_output(injected, path, "open");
  FileDescriptor fd(::open(
      path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, kFileMode));
  if (fd.get() < 0) {
    const int error = errno;
    if (error == ELOOP) refuse(path, "a symbolic link");
    if (error == EISDIR || error == ENXIO) refuse(path, "not a regular file");
    fail(ExitCode::kCannotCreate, path, ": cannot open: ", error_text(error));
  }
  check_own_regular(fd.get(), path);
  return OutputFile(std::move(fd), path);
}

}  // namespace

AppendFile::AppendFile(const std::string& path) : file_(open_to_append(path)) {}

bool AppendFile::ends_torn() const {
  const std::uint64_t size = file_.size();
  std::byte last{'\n'};
  if (size != 0) file_.read_back(size - 1, std::span(&last, 1));
  return last != std::byte{'\n'};
}

}  // namespace pretrain
