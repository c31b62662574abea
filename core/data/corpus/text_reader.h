#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/data/corpus/corpus_format.h"

namespace pretrain {

/// How documents are found in an input.
struct TextFormat {
  std::string format = "auto";    ///< auto (by the file name), text or jsonl
  std::string doc_sep = "blank";  ///< text only: blank, line, file, or any TEXT between documents
  std::string field = "text";     ///< jsonl only: key of the document's text
  std::uint64_t max_document_bytes = kMaxDocumentBytes;
};

/// The documents of one input, one after the other, in memory of one document.
///
/// jsonl: one JSON object a line; lines of blanks are passed over. text, by doc_sep:
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
  /// naming input and byte (jsonl: line) for text that is not UTF-8, a document above
  /// max_document_bytes, or a line that is no object with the field; kIo.
  virtual bool next(std::string& text) = 0;
  /// Bytes of the input read so far.
  virtual std::uint64_t bytes_read() const = 0;
};

/// `input`: a path, or "-" for the standard input. `format.format` auto means jsonl for names that
/// end in .jsonl or .ndjson, text for all others. Throws kBadData if it cannot be opened, kUsage
/// for an unknown format.
std::unique_ptr<DocumentReader> open_documents(const std::string& input, const TextFormat& format);

}  // namespace pretrain
