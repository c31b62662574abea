#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/data/corpus/corpus_format.h"
#include "core/data/corpus/input/invalid_text.h"

namespace pretrain {

/// How documents are found in an input.
struct TextFormat {
  std::string format = "auto";    ///< auto (by the file name), text, jsonl, csv or tsv
  std::string doc_sep = "blank";  ///< text only: blank, line, file, or any TEXT between documents
  /// jsonl: key of the document's text. csv, tsv: column by its name in the header, or by its
  /// number from 1 in a file without header.
  std::string field = "text";
  InvalidText invalid = InvalidText::kError;
  std::uint64_t max_document_bytes = kMaxDocumentBytes;
};

/// What was wrong with an input and did not end its reading.
struct InvalidCounts {
  std::uint64_t replaced_parts = 0;      ///< each became U+FFFD
  std::uint64_t replaced_documents = 0;  ///< documents that hold at least one
  std::uint64_t skipped_text = 0;        ///< documents left out for their text
  std::uint64_t skipped_records = 0;     ///< records left out that are not of the format
  bool operator==(const InvalidCounts&) const = default;
  InvalidCounts& operator+=(const InvalidCounts& other);
};

/// The documents of one input, one after the other, in memory of one document. Inputs may be packed
/// by gzip or Zstandard; a byte order mark at their start is left out.
///
/// jsonl: one JSON object a line; lines of blanks are passed over. csv, tsv: records of RFC 4180,
/// quoted fields may hold line ends. text, by doc_sep:
///   blank  documents are divided by one or more empty lines
///   line   every line is a document
///   file   the whole input is one document, every byte of it
///   TEXT   documents are divided by TEXT, wherever it stands
/// Line ends (LF or CRLF) at the edges of a document belong to the separator, except with `file`.
/// Every document is valid UTF-8. Not thread-safe.
class DocumentReader {
 public:
  virtual ~DocumentReader() = default;
  /// Replaces `text` by the next document, which may be empty; false at the end. Throws kBadData
  /// naming input and byte (jsonl, csv: line) for text that is not UTF-8 if that is an error, a
  /// document above max_document_bytes, or a record without the field; kIo.
  virtual bool next(std::string& text) = 0;
  /// Bytes of the file read so far, as they lie on disk.
  virtual std::uint64_t bytes_read() const = 0;
  virtual const InvalidCounts& invalid() const = 0;
};

/// `input`: a path, or "-" for the standard input. `format.format` auto means jsonl for names that
/// end in .jsonl, .ndjson or .json, csv or tsv for those, text for all others, .gz and .zst aside.
/// Throws kBadData if it cannot be opened, kUsage for an unknown format.
std::unique_ptr<DocumentReader> open_documents(const std::string& input, const TextFormat& format);

}  // namespace pretrain
