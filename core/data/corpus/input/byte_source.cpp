#include "core/data/corpus/input/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/files/file.h"

namespace pretrain {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr int kMaxWindowLog = 27;
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

// The file as it lies on disk.
class RawBytes : public ByteSource {
 public:
  explicit RawBytes(const std::string& input)
      : ByteSource(input == "-" ? "standard input" : input),
        descriptor_(input == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                 : ::open(input.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_.get() < 0) fail_input(errno, name(), "open");
    struct stat info {};
    if (::fstat(descriptor_.get(), &info) != 0) return;
    if (S_ISDIR(info.st_mode)) {
      fail(ExitCode::kBadData, name(), ": is a folder. Name the files in it");
    }
    if (S_ISREG(info.st_mode) && input != "-") size_ = static_cast<std::uint64_t>(info.st_size);
  }

  std::string_view read_piece() override {
    while (true) {
      const ssize_t n = ::read(descriptor_.get(), buffer_.data(), buffer_.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail_input(errno, name(), "read");
      bytes_ += static_cast<std::uint64_t>(n);
      return {buffer_.data(), static_cast<std::size_t>(n)};
    }
  }
  void skip(std::uint64_t bytes) override {
    if (size_ == 0 || bytes > size_) return ByteSource::skip(bytes);
    held_ = {};
    bytes_ = bytes;
    if (::lseek(descriptor_.get(), static_cast<off_t>(bytes), SEEK_SET) < 0) {
      fail_input(errno, name(), "seek");
    }
  }
  std::uint64_t file_bytes() const override { return bytes_; }

  // The first piece, which stays to be read. Call it first.
  std::string_view peek() { return held_ = read_piece(); }

 private:
  FileDescriptor descriptor_;
  std::uint64_t size_ = 0;  // of a regular file
  std::uint64_t bytes_ = 0;
  std::vector<char> buffer_ = std::vector<char>(kPiece);
};

// What gzip and zstd have in common: packed pieces in, one unpacked buffer out.
class PackedBytes : public ByteSource {
 public:
  explicit PackedBytes(std::unique_ptr<RawBytes> raw)
      : ByteSource(raw->name()), raw_(std::move(raw)) {}
  std::uint64_t file_bytes() const override { return raw_->file_bytes() - packed_.size(); }

 protected:
  // More packed bytes are at hand; false at the end of the file.
  bool refill() {
    if (packed_.empty()) packed_ = raw_->read_some();
    return !packed_.empty();
  }
  [[noreturn]] void fail_early() const {
    fail(ExitCode::kBadData, name(), ": ends early, at byte ", file_bytes(),
         ", within packed data. Copy it again");
  }
  [[noreturn]] void fail_damaged(const char* reason) const {
    fail(ExitCode::kBadData, name(), ": is damaged before byte ", file_bytes(), ": ", reason,
         ". Copy it again");
  }

  std::unique_ptr<RawBytes> raw_;
  std::string_view packed_;  // read and not yet unpacked
  std::vector<char> buffer_ = std::vector<char>(kPiece);
};

class GzipBytes : public PackedBytes {
 public:
  explicit GzipBytes(std::unique_ptr<RawBytes> raw) : PackedBytes(std::move(raw)) {
    constexpr int kGzipOnly = 16;
    if (::inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~GzipBytes() override { ::inflateEnd(&stream_); }

  std::string_view read_piece() override {
    while (true) {
      if (!more_inside_ && !refill()) {
        if (in_member_) fail_early();
        return {};
      }
      if (!in_member_ && !begin_member()) continue;
      // zlib leaves its input alone; its interface predates const.
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed_.data()));
      stream_.avail_in = static_cast<uInt>(packed_.size());
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      packed_.remove_prefix(packed_.size() - stream_.avail_in);
      if (status == Z_STREAM_END) {
        in_member_ = false;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        fail_damaged(stream_.msg != nullptr ? stream_.msg : "no gzip data");
      }
      const std::size_t got = buffer_.size() - stream_.avail_out;
      more_inside_ = in_member_ && stream_.avail_out == 0;
      if (got > 0) return {buffer_.data(), got};
    }
  }

 private:
  // Zeros may fill a file up behind a member (tapes, padded copies); anything else begins a new
  // one.
  bool begin_member() {
    if (members_ > 0) {
      packed_.remove_prefix(std::min(packed_.find_first_not_of('\0'), packed_.size()));
      if (packed_.empty()) return false;
    }
    ::inflateReset(&stream_);
    ++members_;
    in_member_ = true;
    return true;
  }

  z_stream stream_{};
  bool in_member_ = false;
  bool more_inside_ = false;  // the library may hold unpacked bytes back
  std::uint64_t members_ = 0;
};

class ZstdBytes : public PackedBytes {
 public:
  explicit ZstdBytes(std::unique_ptr<RawBytes> raw)
      : PackedBytes(std::move(raw)), stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kMaxWindowLog);
  }
  ~ZstdBytes() override { ZSTD_freeDStream(stream_); }

  std::string_view read_piece() override {
    while (true) {
      if (!more_inside_ && !refill()) {
        if (in_frame_) fail_early();
        return {};
      }
      ZSTD_inBuffer in{packed_.data(), packed_.size(), 0};
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      const std::size_t left = ZSTD_decompressStream(stream_, &out, &in);
      packed_.remove_prefix(in.pos);
      if (ZSTD_isError(left) != 0) fail_damaged(ZSTD_getErrorName(left));
      in_frame_ = left != 0;
      more_inside_ = in_frame_ && out.pos == out.size;
      if (out.pos > 0) return {buffer_.data(), out.pos};
    }
  }

 private:
  ZSTD_DStream* stream_;
  bool in_frame_ = false;
  bool more_inside_ = false;  // the library holds unpacked bytes back
};

}  // namespace

std::string_view ByteSource::read_some() {
  if (!held_.empty()) return std::exchange(held_, {});
  return read_piece();
}

void ByteSource::skip(std::uint64_t bytes) {
  std::uint64_t left = bytes;
  while (left > 0) {
    const std::string_view piece = read_some();
    if (piece.empty()) {
      fail(ExitCode::kBadData, name(), ": has fewer than ", bytes, " bytes. Was it changed?");
    }
    if (piece.size() > left) held_ = piece.substr(static_cast<std::size_t>(left));
    left -= std::min<std::uint64_t>(left, piece.size());
  }
}

bool ByteSource::skip_prefix(std::string_view prefix) {
  while (start_.size() < prefix.size()) {
    const std::string_view piece = read_some();
    if (piece.empty()) break;
    start_ += piece;
  }
  const bool found = start_.starts_with(prefix);
  held_ = std::string_view(start_).substr(found ? prefix.size() : 0);
  return found;
}

std::unique_ptr<ByteSource> ByteSource::open(const std::string& input) {
  auto raw = std::make_unique<RawBytes>(input);
  const std::string_view first = raw->peek();
  if (input.ends_with(".gz") || first.starts_with(kGzipMagic)) {
    if (first.empty()) {
      fail(ExitCode::kBadData, input, ": ends early, at byte 0, within packed data. Copy it again");
    }
    return std::make_unique<GzipBytes>(std::move(raw));
  }
  if (input.ends_with(".zst") || first.starts_with(kZstdMagic)) {
    if (first.empty()) {
      fail(ExitCode::kBadData, input, ": ends early, at byte 0, within packed data. Copy it again");
    }
    return std::make_unique<ZstdBytes>(std::move(raw));
  }
  return raw;
}

}  // namespace pretrain
