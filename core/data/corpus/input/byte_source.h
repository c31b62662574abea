#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pretrain {

/// The bytes of an input, unpacked: names that end in .gz or .zst, and inputs that begin as such
/// files do, are gzip (any number of members) or Zstandard (any number of frames; windows up to
/// 128 MiB). Memory of a few MiB, for zstd one window more. Not thread-safe.
class ByteSource {
 public:
  /// `input`: a path, or "-" for the standard input. Throws kBadData if it cannot be opened.
  static std::unique_ptr<ByteSource> open(const std::string& input);
  virtual ~ByteSource() = default;

  /// The next piece, empty at the end; valid until the next call. Throws kBadData naming the byte
  /// of the file where packed data end early or are damaged; kIo.
  std::string_view read_some();
  /// Passes over `bytes` unpacked bytes. Throws kBadData if there are fewer.
  virtual void skip(std::uint64_t bytes);
  /// Passes over `prefix` if the input begins with it and says whether it did. Before the first
  /// read.
  bool skip_prefix(std::string_view prefix);
  /// Bytes of the file read so far, as they lie on disk.
  virtual std::uint64_t file_bytes() const = 0;
  /// For messages.
  const std::string& name() const { return name_; }

 protected:
  explicit ByteSource(std::string name) : name_(std::move(name)) {}
  virtual std::string_view read_piece() = 0;
  std::string_view held_;  ///< read_some gives it out first, then what read_piece() gives

 private:
  std::string name_;
  std::string start_;  // pieces that were joined to compare them with a prefix
};

}  // namespace pretrain
