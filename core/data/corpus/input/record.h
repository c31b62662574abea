#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/data/corpus/text_reader.h"

namespace pretrain {

/// Where a record begins in its input, unpacked.
struct RecordPlace {
  std::uint64_t offset = 0;  ///< bytes before it
  std::uint64_t line = 0;    ///< lines before it
  bool operator==(const RecordPlace&) const = default;
};

/// Cuts an input into records, one document each, without looking into them: cheap, one after the
/// other. Not thread-safe.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  /// Appends the next record to `out` and says where it begins; false at the end. Throws kBadData
  /// for a record above max_document_bytes, or packed data that end early; kIo.
  virtual bool next(std::string& out, RecordPlace& place) = 0;
  /// Behind the last record: where a reader of the same input may be told to begin.
  virtual RecordPlace position() const = 0;
  /// Bytes of the file read so far, as they lie on disk.
  virtual std::uint64_t file_bytes() const = 0;
};

/// Makes a document of a record. Immutable: records may be parsed on any thread, in any order.
class RecordParser {
 public:
  virtual ~RecordParser() = default;
  /// Replaces `text` by the document, valid UTF-8. False: the record is none (a line of blanks), or
  /// it is left out and counted in `counts`. Throws kBadData naming input and line or byte.
  virtual bool parse(std::string_view record, const RecordPlace& place, std::string& text,
                     InvalidCounts& counts) const = 0;
  /// "books.jsonl:12" or "books.txt, byte 345": where a record is, for people.
  virtual std::string place_text(const RecordPlace& place) const = 0;
};

/// An input that was opened: what cuts it and what understands it.
struct RecordInput {
  std::unique_ptr<RecordReader> reader;
  std::shared_ptr<const RecordParser> parser;
};

/// Opens `input` ("-": the standard input) as `format` says and goes to `begin`, a position() of an
/// earlier reader. Throws as open_documents does.
RecordInput open_records(const std::string& input, const TextFormat& format,
                         const RecordPlace& begin = {});

}  // namespace pretrain
