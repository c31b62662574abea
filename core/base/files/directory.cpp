#include "core/base/files/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "core/base/error.h"
#include "core/base/files/file_observer.h"

namespace pretrain {
namespace {

/// Makes the observed call, again after an interruption; its result, or -1 with errno set.
template <class Call>
int observed(const FileOperation& operation, Call call) {
  const int injected = observe_file_operation(operation);
  if (injected != 0) {
    errno = injected;
    return -1;
  }
  int result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

void make_directory(int parent, const char* name, const std::string& path) {
  const int result =
      observed({"mkdir", path}, [&] { return ::mkdirat(parent, name, kDirectoryMode); });
  if (result != 0) fail_output(errno, path, "make the directory");
}

bool is_leftover(std::string_view name) {
  constexpr std::size_t kNonceDigits = 16;
  const bool is_ours =
      name.starts_with("tmp-") || name.starts_with(".tmp-") || name.starts_with(".trash-");
  const std::size_t dash = name.rfind('-');
  return is_ours && name.size() - dash == 1 + kNonceDigits &&
         name.find_first_not_of("0123456789abcdef", dash + 1) == std::string_view::npos;
}

}  // namespace

Directory Directory::open(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) fail_input(errno, path, "open the directory");
  return Directory(std::move(fd), path);
}

Directory Directory::open_parent(const std::string& file_path) {
  const std::string path = parent_of(file_path);
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) {
    fail(ExitCode::kCannotCreate, file_path, ": cannot open the folder ", path, ": ",
         error_text(errno), ". Check that it exists and can be written to");
  }
  return Directory(std::move(fd), path);
}

Directory Directory::create(const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != 0;
       end = end == std::string::npos ? 0 : path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    struct stat info {};
    if (::stat(part.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
    try {
      make_directory(AT_FDCWD, part.c_str(), part);
      Directory::open(parent_of(part)).sync();
    } catch (const Error&) {
      // Another process may have made it since.
      if (::stat(part.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) throw;
    }
  }
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) fail_output(errno, path, "open the directory");
  return Directory(std::move(fd), path);
}

Directory Directory::open_directory(const std::string& name) const {
  FileDescriptor fd(
      ::openat(fd_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd.get() < 0) fail_input(errno, path_of(name), "open the directory");
  return Directory(std::move(fd), path_of(name));
}

Directory Directory::create_directory(const std::string& name) const {
  make_directory(fd_.get(), name.c_str(), path_of(name));
  return open_directory(name);
}

OutputFile Directory::create_file(const std::string& name) const {
  FileDescriptor fd(observed({"create", path_of(name)}, [&] {
    return ::openat(fd_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    kFileMode);
  }));
  if (fd.get() < 0) fail_output(errno, path_of(name), "create");
  return OutputFile(std::move(fd), path_of(name));
}

InputFile Directory::open_file(const std::string& name) const {
  FileDescriptor fd(
      ::openat(fd_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) fail_input(errno, path_of(name), "open");
  return InputFile(std::move(fd), path_of(name));
}

std::optional<std::string> Directory::read_text(const std::string& name,
                                                std::size_t max_bytes) const {
  struct stat info {};
  if (::fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
    return std::nullopt;
  }
  return open_file(name).text(max_bytes);
}

void Directory::write_text(const std::string& name, std::string_view text) const {
  OutputFile file = create_file(name);
  file.write(text);
  file.sync();
  file.close();
}

void Directory::replace_text(const std::string& name, std::string_view text) const {
  const std::string temporary = unique_name("tmp-" + name);
  try {
    write_text(temporary, text);
    rename(temporary, name);
  } catch (const Error&) {
    ::unlinkat(fd_.get(), temporary.c_str(), 0);
    throw;
  }
  sync();
}

void Directory::rename(const std::string& from, const std::string& to) const {
  const int result = observed({"rename", path_of(from), path_of(to)}, [&] {
    return ::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str());
  });
  if (result != 0) fail_output(errno, path_of(to), "rename to it");
}

void Directory::rename_new(const std::string& from, const std::string& to) const {
  const int result = observed({"rename_new", path_of(from), path_of(to)}, [&] {
    const int renamed =
        ::renameat2(fd_.get(), from.c_str(), fd_.get(), to.c_str(), RENAME_NOREPLACE);
    if (renamed == 0 || (errno != EINVAL && errno != ENOSYS)) return renamed;
    // File systems without the flag: a plain rename never replaces a directory that has entries,
    // and a new hard link never replaces a file.
    if (is_directory(from)) return ::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str());
    const int linked = ::linkat(fd_.get(), from.c_str(), fd_.get(), to.c_str(), 0);
    return linked == 0 ? ::unlinkat(fd_.get(), from.c_str(), 0) : linked;
  });
  if (result != 0) fail_output(errno, path_of(to), "rename to it");
}

void Directory::remove_file(const std::string& name) const {
  const int result =
      observed({"unlink", path_of(name)}, [&] { return ::unlinkat(fd_.get(), name.c_str(), 0); });
  if (result != 0) fail_output(errno, path_of(name), "remove");
}

void Directory::remove_directory(const std::string& name) const {
  const Directory victim = open_directory(name);
  for (const std::string& entry : victim.list()) victim.remove_file(entry);
  const int result = observed({"rmdir", path_of(name)},
                              [&] { return ::unlinkat(fd_.get(), name.c_str(), AT_REMOVEDIR); });
  if (result != 0) fail_output(errno, path_of(name), "remove");
}

std::vector<std::string> Directory::remove_leftovers() const {
  std::vector<std::string> removed;
  for (const std::string& name : list()) {
    if (!is_leftover(name)) continue;
    if (is_directory(name)) {
      remove_directory(name);
    } else {
      remove_file(name);
    }
    removed.push_back(name);
  }
  return removed;
}

std::vector<std::string> Directory::list() const {
  const int fd = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fd < 0 ? nullptr : ::fdopendir(fd), &::closedir);
  if (stream == nullptr) fail_input(errno, path_, "list");
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) fail_input(errno, path_, "list");
  std::sort(names.begin(), names.end());
  return names;
}

bool Directory::exists(const std::string& name) const {
  struct stat info {};
  return ::fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

bool Directory::is_directory(const std::string& name) const {
  struct stat info {};
  return ::fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(info.st_mode);
}

void Directory::sync() const {
  const int result = observed({"fsync", path_}, [&] { return ::fsync(fd_.get()); });
  // Some network file systems have no fsync of directories: their renames are synchronous.
  if (result != 0 && errno != EINVAL) fail_output(errno, path_, "fsync");
}

std::uint64_t Directory::free_bytes() const {
  struct statvfs info {};
  if (::fstatvfs(fd_.get(), &info) != 0) fail_output(errno, path_, "ask for the free space");
  return std::uint64_t{info.f_bavail} * std::uint64_t{info.f_frsize};
}

std::optional<std::uint64_t> Directory::free_files() const {
  struct statvfs info {};
  if (::fstatvfs(fd_.get(), &info) != 0) fail_output(errno, path_, "ask for the free space");
  if (info.f_files == 0) return std::nullopt;
  return std::uint64_t{info.f_favail};
}

}  // namespace pretrain
