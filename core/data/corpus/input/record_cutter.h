#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/data/corpus/input/byte_source.h"
#include "core/data/corpus/input/record.h"

namespace pretrain {

/// Base of the record readers: the bytes of an input from a position on, without its byte order
/// mark, and the limit of a record.
class RecordCutter : public RecordReader {
 public:
  RecordCutter(std::unique_ptr<ByteSource> source, std::uint64_t max_bytes,
               const RecordPlace& begin);
  RecordPlace position() const override { return position_; }
  std::uint64_t file_bytes() const override { return source_->file_bytes(); }

 protected:
  /// There are bytes in rest_; false at the end of the input.
  bool refill() {
    if (rest_.empty()) rest_ = source_->read_some();
    return !rest_.empty();
  }
  /// Moves the first `size` bytes of rest_ to `out`. Does not count lines.
  void take(std::size_t size, std::string& out);
  /// Appends the next line with its line end; false at the end of the input. `record_begin` is
  /// where the record that it belongs to begins in `out`.
  bool take_line(std::string& out, std::size_t record_begin, const RecordPlace& place);
  /// Throws kBadData if a record of `size` bytes that begins at `place` is too large.
  void check_size(std::uint64_t size, const RecordPlace& place) const;

  std::unique_ptr<ByteSource> source_;
  std::uint64_t max_bytes_;
  std::string_view rest_;  ///< read from the source and not yet taken
  RecordPlace position_;
};

/// Records are lines, without their line ends.
std::unique_ptr<RecordReader> cut_lines(std::unique_ptr<ByteSource> source, std::uint64_t max_bytes,
                                        const RecordPlace& begin);
/// Records are divided by one or more empty lines.
std::unique_ptr<RecordReader> cut_at_blank_lines(std::unique_ptr<ByteSource> source,
                                                 std::uint64_t max_bytes, const RecordPlace& begin);
/// Records are divided by `separator`, and a line end on either side of it; an empty one never
/// occurs: the whole input is one record, every byte of it.
std::unique_ptr<RecordReader> cut_at_text(std::unique_ptr<ByteSource> source,
                                          std::uint64_t max_bytes, const RecordPlace& begin,
                                          const std::string& separator);
/// Records are those of RFC 4180, without their line ends: fields that begin with a quote may hold
/// line ends.
std::unique_ptr<RecordReader> cut_csv(std::unique_ptr<ByteSource> source, std::uint64_t max_bytes,
                                      const RecordPlace& begin, char delimiter);

}  // namespace pretrain
