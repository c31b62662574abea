#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/data/corpus/progress.h"

namespace pretrain {

/// What `pretrain corpus export` is asked to do.
struct ExportOptions {
  /// megatron: OUT.bin and OUT.idx, one sequence a document. nanogpt, llmc: a folder with one file
  /// a split, train.bin, val.bin, NAME.bin. text: documents with an empty line between them. jsonl:
  /// {"text": ...} a line.
  std::string format = {};
  std::string input = {};   ///< corpus, NAME.h5
  std::string output = {};  ///< see format; "-": the standard output, text and jsonl only
  /// Only these documents; empty: megatron, text and jsonl take all documents in their order,
  /// nanogpt and llmc all splits.
  std::string split = {};
  /// Type of the ids; empty: as the corpus, for megatron i32 instead of u32.
  std::string dtype = {};
  /// llmc: a new file, NAME_000001.bin, each so many tokens; 0: one file a split.
  std::uint64_t shard_tokens = 0;
  bool force = false;  ///< replace existing files
};

struct ExportResult {
  std::vector<std::string> files;  ///< "standard output" is one
  std::uint64_t documents = 0;
  std::uint64_t tokens = 0;
  std::uint64_t replaced_documents = 0;  ///< jsonl: text that was no valid UTF-8

  /// One line without a line end.
  std::string to_text() const;
};

/// Writes a corpus, whose digests are verified first, as files of another program: ids and their
/// order stay as they are, so that importing gives the same documents and tokens; text and jsonl
/// are decoded by NAME.tokenizer.json. All files appear or none; what was written to the standard
/// output stays. Memory is bounded, for text and jsonl by the longest document.
///
/// Throws kUsage for a format, type or option that does not exist or does not fit; kBadData for a
/// damaged corpus, a missing tokenizer or split, ids or lengths that the format cannot hold;
/// kCannotCreate if a file exists and `force` is not set; kIo.
ExportResult export_corpus(const ExportOptions& options, const ProgressFunction& progress = {});

}  // namespace pretrain
