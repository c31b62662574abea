#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/files/file.h"

namespace pretrain {

/// The texts of a stream that are encoded each on its own: where one ends and the next begins.
/// kFramedIds are frames of u32 ids, whose length counts ids.
struct UnitSeparator {
  enum class Kind { kLine, kFile, kFramed, kFramedIds, kText };
  Kind kind = Kind::kLine;
  std::string text = {};  ///< of kText, not empty

  /// `word`: line (up to LF or CRLF), file (the whole input), framed (before each text its length
  /// in bytes, u32 little-endian: any bytes may stand in it), or a text that stands between. Throws
  /// kUsage if it is empty.
  static UnitSeparator parse(const std::string& word);
};

/// The little-endian u32 at the start of `bytes`, which are 4 or more.
std::uint32_t read_u32(std::string_view bytes);
/// Appends it.
void append_u32(std::uint32_t value, std::string& bytes);

/// Reads a file or the standard input in batches of whole units, in memory of a batch, which is
/// larger than asked for only if one unit is. No byte is checked or changed. Not thread-safe.
class UnitReader {
 public:
  /// `input`: a path, or "-". Throws kBadData if it cannot be opened.
  UnitReader(const std::string& input, UnitSeparator separator);

  /// Replaces `units` by the next ones, of `batch_bytes` bytes or a little more; false at the end.
  /// They are valid until the next call. Throws kBadData naming the byte for a frame that ends
  /// early; kIo.
  bool next(std::vector<std::string_view>& units, std::uint64_t batch_bytes);
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t total_bytes() const { return total_bytes_; }  ///< 0: not known
  const std::string& name() const { return name_; }

 private:
  bool fill(std::uint64_t bytes);
  std::size_t find_frames(std::vector<std::string_view>& units);
  std::size_t find_texts(std::vector<std::string_view>& units);

  std::string name_;
  UnitSeparator separator_;
  FileDescriptor descriptor_;
  std::string buffer_;        // from the first unit not given out
  std::size_t used_ = 0;      // bytes of the buffer given out by the last call
  std::size_t searched_ = 0;  // bytes of the buffer in which no text ends
  bool ended_ = false;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace pretrain
