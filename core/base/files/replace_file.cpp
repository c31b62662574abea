#include "core/base/files/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/base/error.h"

namespace pretrain {

ReplacementFile::ReplacementFile(const std::string& path, int writer)
    : path_(path), temporary_(concat(path, ".tmp-", writer)) {
  ::unlink(temporary_.c_str());
  const int fd =
      ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
  if (fd < 0) fail(ExitCode::kCannotCreate, temporary_, ": cannot create: ", error_text(errno));
  file_ = WritableFile(fd, temporary_);
}

ReplacementFile::~ReplacementFile() {
  if (!published_) ::unlink(temporary_.c_str());
}

void ReplacementFile::publish(bool durable) {
  if (durable) file_.sync();
  file_.close();
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail(ExitCode::kCannotCreate, path_, ": cannot replace: ", error_text(errno));
  }
  published_ = true;
}

void replace_file(const std::string& path, std::string_view text, int writer) {
  ReplacementFile file(path, writer);
  file.write(text);
  file.publish(false);
}

}  // namespace pretrain
