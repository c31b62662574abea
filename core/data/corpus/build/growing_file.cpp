#include "core/data/corpus/build/growing_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "core/base/error.h"

namespace pretrain {

struct GrowingFile::Digest {
  Digest() : state(XXH3_createState()) { XXH3_128bits_reset(state); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  ~Digest() { XXH3_freeState(state); }
  void update(std::span<const std::byte> bytes) {
    XXH3_128bits_update(state, bytes.data(), bytes.size());
  }
  XXH3_state_t* state;
};

namespace {

FileDescriptor open_to_grow(const Directory& folder, const std::string& name, int flags) {
  const std::string path = folder.path_of(name);
  FileDescriptor fd(
      ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, kFileMode));
  if (fd.get() < 0) {
    if ((flags & O_CREAT) == 0) fail_input(errno, path, "open");
    fail_output(errno, path, "create");
  }
  return fd;
}

}  // namespace

GrowingFile::GrowingFile(OutputFile file)
    : file_(std::move(file)), digest_(std::make_unique<Digest>()) {}
GrowingFile::~GrowingFile() = default;
GrowingFile::GrowingFile(GrowingFile&&) noexcept = default;
GrowingFile& GrowingFile::operator=(GrowingFile&&) noexcept = default;

GrowingFile GrowingFile::nameless(const std::string& path) {
  const Directory folder = Directory::open_parent(path);
  const std::string name = unique_name("tmp-" + std::filesystem::path(path).filename().string());
  OutputFile file = folder.create_file(name);
  folder.remove_file(name);
  return GrowingFile(std::move(file));
}

GrowingFile GrowingFile::create(const Directory& folder, const std::string& name) {
  return GrowingFile(
      OutputFile(open_to_grow(folder, name, O_CREAT | O_TRUNC), folder.path_of(name)));
}

GrowingFile GrowingFile::take_over(const Directory& folder, const std::string& name,
                                   std::uint64_t bytes, const std::string& digest) {
  const std::string path = folder.path_of(name);
  FileDescriptor fd = open_to_grow(folder, name, 0);
  const int opened = fd.get();
  GrowingFile file(OutputFile(std::move(fd), path));
  const std::uint64_t size = file.file_.size();
  if (size < bytes) {
    fail(ExitCode::kBadData, path, ": has ", size, " bytes, expected at least ", bytes,
         ". Begin anew with --restart");
  }
  std::vector<std::byte> piece(kPiece);
  for (std::uint64_t at = 0; at < bytes;) {
    const auto part = std::span(piece).first(std::min<std::uint64_t>(kPiece, bytes - at));
    file.file_.read_back(at, part);
    file.digest_->update(part);
    at += part.size();
  }
  if (file.digest() != digest) {
    fail(ExitCode::kBadData, path,
         ": its bytes are not those that were written. Begin anew with "
         "--restart");
  }
  if (::ftruncate(opened, static_cast<off_t>(bytes)) != 0) {
    fail_output(errno, path, "shorten");
  }
  file.written_ = bytes;
  return file;
}

void GrowingFile::flush() {
  if (buffer_.empty()) return;
  file_.write_at(written_, buffer_);
  digest_->update(buffer_);
  written_ += buffer_.size();
  buffer_.clear();
}

void GrowingFile::sync() {
  flush();
  file_.sync();
}

std::string GrowingFile::digest() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(digest_->state));
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace pretrain
