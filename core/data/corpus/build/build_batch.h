#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "core/data/corpus/input/record.h"

namespace pretrain {

/// Where in the inputs a build is: `input` counts those that were named for training, then those
/// for validation.
struct InputPosition {
  std::uint64_t input = 0;
  RecordPlace place;
  bool operator==(const InputPosition&) const = default;
};

/// A document of a batch after the work on it.
struct BuiltDocument {
  RecordPlace place;
  std::uint64_t text_bytes = 0;
  std::uint64_t tokens = 0;                ///< of the batch's ids, in order; 0 if it is dropped
  const char* dropped = nullptr;           ///< why it does not come into the corpus, or nullptr
  std::array<std::uint64_t, 2> content{};  ///< hash of the text, if duplicates are looked for
};

/// A run of records of one input: what is read at once, encoded by one thread, stored in order.
struct BuildBatch {
  struct Record {
    RecordPlace place;
    std::size_t end = 0;  ///< in `data`
  };
  // What was read.
  std::shared_ptr<const RecordParser> parser;
  std::uint64_t input = 0;
  bool validation = false;
  std::string data;
  std::vector<Record> records;
  InputPosition end;             ///< behind the last record
  std::uint64_t file_bytes = 0;  ///< of all inputs read up to there, as they lie on disk

  // What was made of it.
  std::vector<BuiltDocument> documents;
  std::vector<std::uint32_t> ids;
  std::vector<std::uint16_t> signatures;  ///< of the documents not dropped, if asked for
  InvalidCounts invalid;
  std::exception_ptr error;

  void clear() {
    parser.reset();
    data.clear();
    records.clear();
    documents.clear();
    ids.clear();
    signatures.clear();
    invalid = {};
    error = nullptr;
  }
};

}  // namespace pretrain
