#include "core/base/files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>

#include "core/base/error.h"

namespace pretrain {
namespace {

// What a signal handler may read: fixed storage, `file` published last and cleared first.
struct Mapping {
  std::atomic<const MappedFile*> file{nullptr};
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<const char*> path{nullptr};
};
// Files beyond the table work as well; only their SIGBUS goes unnamed.
std::array<Mapping, 256> mappings;
std::mutex mappings_mutex;

void remember(const MappedFile* file) {
  const std::lock_guard lock(mappings_mutex);
  for (Mapping& mapping : mappings) {
    if (mapping.file.load() != nullptr) continue;
    mapping.begin = reinterpret_cast<std::uintptr_t>(file->bytes().data());
    mapping.end = mapping.begin + file->bytes().size();
    mapping.path = file->path().c_str();
    mapping.file = file;
    return;
  }
}

void forget(const MappedFile* file) {
  const std::lock_guard lock(mappings_mutex);
  for (Mapping& mapping : mappings) {
    if (mapping.file.load() == file) mapping.file = nullptr;
  }
}

}  // namespace

// O_NONBLOCK: opening a FIFO that nobody writes to would wait forever.
MappedFile::MappedFile(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_.get() < 0) fail_input(errno, path, "open");
  struct stat info {};
  if (::fstat(descriptor_.get(), &info) != 0) fail_input(errno, path, "stat");
  if (!S_ISREG(info.st_mode)) {
    fail(ExitCode::kBadData, path, ": is not a regular file. Check the path");
  }
  size_ = static_cast<std::size_t>(info.st_size);
  device_ = info.st_dev;
  inode_ = info.st_ino;
  modified_ = info.st_mtim;
  if (size_ == 0) return;
  void* data = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor_.get(), 0);
  if (data == MAP_FAILED) {
    fail(ExitCode::kIo, path, ": cannot map into memory: ", error_text(errno));
  }
  data_ = static_cast<const std::byte*>(data);
  remember(this);
}

MappedFile::~MappedFile() {
  forget(this);
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

namespace {

std::uintptr_t page_bytes() {
  static const auto bytes = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

void MappedFile::advise_random(std::span<const std::byte> part) const {
  const std::uintptr_t page = page_bytes();
  const auto begin = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(part.data()) + part.size();
  // Only advice: a kernel that refuses it reads a little more than needed.
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_RANDOM);
}

void MappedFile::advise_soon(std::span<const std::byte> part) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(part.data()) / page_bytes() * page_bytes();
  const auto end = reinterpret_cast<std::uintptr_t>(part.data()) + part.size();
  if (!part.empty()) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_WILLNEED);
}

double MappedFile::resident_share(std::span<const std::byte> part) const {
  constexpr std::size_t kPlaces = 256;
  std::size_t resident = 0;
  for (std::size_t i = 0; i < kPlaces && !part.empty(); ++i) {
    const auto at = reinterpret_cast<std::uintptr_t>(part.data()) + part.size() / kPlaces * i;
    unsigned char held = 0;
    if (mincore(reinterpret_cast<void*>(at / page_bytes() * page_bytes()), 1, &held) != 0) return 1;
    resident += held & 1;
  }
  return part.empty() ? 1 : static_cast<double>(resident) / kPlaces;
}

std::optional<std::string> MappedFile::check_unchanged() const {
  struct stat opened {};
  if (::fstat(descriptor_.get(), &opened) != 0) fail_input(errno, path_, "stat");
  if (static_cast<std::size_t>(opened.st_size) != size_) {
    fail(ExitCode::kBadData, path_, ": changed while in use: had ", size_, " bytes, has ",
         opened.st_size, ". Restore the file and start again");
  }
  if (opened.st_mtim.tv_sec != modified_.tv_sec || opened.st_mtim.tv_nsec != modified_.tv_nsec) {
    fail(ExitCode::kBadData, path_,
         ": was written to while in use. Verify the file and start again");
  }
  struct stat now {};
  if (stat(path_.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_) {
    return std::nullopt;
  }
  return concat(path_, ": another file, or none, is at this path now. The one opened stays in use");
}

const char* mapped_file_at(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (const Mapping& mapping : mappings) {
    if (mapping.file.load() == nullptr) continue;
    if (at >= mapping.begin.load() && at < mapping.end.load()) return mapping.path.load();
  }
  return nullptr;
}

}  // namespace pretrain
