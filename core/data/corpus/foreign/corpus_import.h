#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/corpus/progress.h"

namespace pretrain {

/// What `pretrain corpus import` is asked to do for token files.
struct ImportOptions {
  std::string format = {};  ///< megatron, nanogpt or llmc
  /// megatron: PREFIX, PREFIX.bin or PREFIX.idx. nanogpt, llmc: files, globs, or one folder with
  /// files whose names say their split (see token_inputs). Several are joined in their order.
  std::vector<std::string> inputs = {};
  std::string output = {};  ///< NAME.h5
  /// byte or a tokenizer file: ids are checked against it, bytes are counted by decoding.
  std::string tokenizer = {};
  std::uint64_t vocab_size = 0;  ///< without a tokenizer
  std::string dtype = "u16";     ///< nanogpt: u16 or u32
  /// nanogpt: the id that ends a document, llmc: that begins one, megatron: that every document is
  /// expected to end with; -1: none. Unset: the tokenizer's.
  std::optional<std::int64_t> eos_id = std::nullopt;
  std::string split = "train";  ///< of inputs whose names do not say it
  bool force = false;           ///< replace an existing corpus
  std::string created_by = "pretrain";
};

/// What was imported, for a summary line.
struct ImportResult {
  std::string path;
  std::uint64_t documents = 0;
  std::uint64_t empty_documents = 0;  ///< dropped: a corpus has no document without a token
  std::uint64_t other_modes = 0;      ///< megatron: sequences whose mode, not 0, is not kept
  CorpusManifest manifest;
  std::vector<Corpus::SplitSize> splits;

  /// One line without a line end.
  std::string to_text() const;
};

/// Makes a corpus of token files of another program. The tokens are the same, in the same order;
/// the corpus's eos_id is the id asked for if every document ends with it, else -1. Without a
/// tokenizer there are no byte counts and no NAME.tokenizer.json. Memory is bounded, but for the
/// longest document where bytes are counted.
///
/// Throws kUsage for options that exclude each other, kBadData naming file and byte of a fault, for
/// a document too long to be decoded, or if there is no token; kCannotCreate, kIo.
ImportResult import_corpus(const ImportOptions& options, const ProgressFunction& progress = {});

}  // namespace pretrain
