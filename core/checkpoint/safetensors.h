#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/files/directory.h"

namespace pretrain {

// The safetensors file format (as the Python package of that name reads and writes it): u64 LE
// length of the header; the header, JSON {NAME: {dtype, shape, data_offsets: [begin, end]}} with
// an optional __metadata__ map of texts; the tensors' bytes, little-endian, row-major, without
// gaps.

/// Bytes of one element of "F32", "BF16", "I64" ...; 0 if the type is not known.
std::uint64_t safetensors_dtype_bytes(const std::string& dtype);
/// Product of the dimensions (1 for a scalar). Throws kBadData naming `place` if it is negative
/// anywhere or leaves 64 bits.
std::uint64_t element_count(const std::vector<std::int64_t>& shape, const std::string& place);

/// A tensor in a file; its bytes are [begin, end) of the data section.
struct TensorInfo {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const TensorInfo&) const = default;
};

/// A tensor to be written. Borrows its bytes.
struct TensorView {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// A finished file and its digests.
struct FileDigest {
  std::string name;
  std::uint64_t bytes = 0;
  std::string xxh3_128;
  std::string sha256;
  bool operator==(const FileDigest&) const = default;
};

/// Size of the file that write_safetensors makes of them.
std::uint64_t safetensors_file_bytes(const std::vector<TensorView>& tensors);
/// Writes a new file `name` in the given order, durable on return except for its directory entry.
/// Throws kInternal for a type it does not know, a name twice, or bytes that do not fit the shape.
FileDigest write_safetensors(const Directory& directory, const std::string& name,
                             const std::vector<TensorView>& tensors);

/// A safetensors file from anywhere: the header is taken for hostile, and the constructor throws
/// kBadData naming the file and the first rule it breaks. Data is read with pread, never mapped.
class SafetensorsFile {
 public:
  SafetensorsFile(const Directory& directory, const std::string& name);

  const std::map<std::string, TensorInfo>& tensors() const { return tensors_; }
  /// Fills `out` with the tensor's bytes from byte `offset` of it on. Throws kBadData if the range
  /// is not inside the tensor or the file was changed since it was opened.
  void read(const TensorInfo& tensor, std::uint64_t offset, std::span<std::byte> out) const;
  const std::string& path() const { return file_.path(); }

 private:
  InputFile file_;
  std::uint64_t data_begin_ = 0;
  std::map<std::string, TensorInfo> tensors_;
};

}  // namespace pretrain
