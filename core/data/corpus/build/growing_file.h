#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/files/directory.h"
#include "core/base/files/file.h"

namespace pretrain {

/// A file that is appended to in pieces of a few MiB and keeps the XXH3-128 of all its bytes, so
/// that a later process can take it over up to a length that is known to be good. Not thread-safe.
/// Errors: kCannotCreate for a full disk, kIo.
class GrowingFile {
 public:
  /// A nameless file in the folder of `path`; it goes with this object.
  static GrowingFile nameless(const std::string& path);
  /// The empty file NAME in `folder`; what was there is cut off.
  static GrowingFile create(const Directory& folder, const std::string& name);
  /// NAME in `folder`, cut to its first `bytes` bytes. Throws kBadData if it is missing, shorter,
  /// or `digest` is not the digest of those bytes.
  static GrowingFile take_over(const Directory& folder, const std::string& name,
                               std::uint64_t bytes, const std::string& digest);
  ~GrowingFile();
  GrowingFile(GrowingFile&&) noexcept;
  GrowingFile& operator=(GrowingFile&&) noexcept;

  /// Appends the values as little-endian T, into which they must fit.
  template <class T, class Value>
  void push(std::span<const Value> values) {
    const std::size_t begin = buffer_.size();
    buffer_.resize(begin + values.size() * sizeof(T));
    std::byte* out = buffer_.data() + begin;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const T value = static_cast<T>(values[i]);
      std::memcpy(out + i * sizeof value, &value, sizeof value);
    }
    if (buffer_.size() >= kPiece) flush();
  }
  template <class T>
  void push(T value) {
    push<T>(std::span<const T>(&value, 1));
  }
  /// Hands all bytes to the system.
  void flush();
  /// Makes all bytes durable.
  void sync();
  std::uint64_t bytes() const { return written_ + buffer_.size(); }
  /// XXH3-128 of all bytes, after flush().
  std::string digest() const;
  /// Fills `out` from byte `offset`; after flush().
  void read_back(std::uint64_t offset, std::span<std::byte> out) const {
    file_.read_back(offset, out);
  }

 private:
  static constexpr std::size_t kPiece = std::size_t{4} << 20;
  struct Digest;
  explicit GrowingFile(OutputFile file);

  OutputFile file_;
  std::unique_ptr<Digest> digest_;
  std::uint64_t written_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace pretrain
