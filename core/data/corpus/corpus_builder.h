#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/corpus/progress.h"
#include "core/data/corpus/text_reader.h"
#include "core/text/format/open_tokenizer.h"
#include "core/text/tokenizer.h"

namespace pretrain {

/// What `pretrain corpus build` is asked to do.
struct BuildOptions {
  std::string output = {};                          ///< NAME.h5
  std::string tokenizer = {};                       ///< byte, char, or path of a tokenizer.json
  std::vector<std::string> specials = {};           ///< further special tokens; byte and char only
  std::vector<std::string> inputs = {};             ///< paths, or "-" for the standard input
  std::vector<std::string> validation_inputs = {};  ///< put whole into the split `valid`
  TextFormat format = {};
  /// Close every document with the tokenizer's eos; unset: if it has one (char: yes).
  std::optional<bool> eos = std::nullopt;
  /// Share of the documents of `inputs` for the split `valid`, in [0, 1), chosen by a keyed hash of
  /// the document's number; unset: 0.01 without validation inputs, else 0.
  std::optional<double> valid_fraction = std::nullopt;
  bool force = false;  ///< replace an existing corpus
  std::string created_by = "pretrain";
};

/// What was built, for a summary line.
struct BuildResult {
  std::string path;
  std::uint64_t documents = 0;
  std::uint64_t empty_documents = 0;  ///< skipped
  std::uint64_t tokens = 0;           ///< eos included
  std::uint64_t source_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t vocab_size = 0;
  std::uint64_t max_id = 0;
  std::string dtype;
  std::string fingerprint;
  std::vector<Corpus::SplitSize> splits;

  /// One line without a line end.
  std::string to_text() const;
};

/// Reads all inputs in the given order and writes NAME.h5, NAME.manifest.json and
/// NAME.tokenizer.json: all three or none. `char` reads the inputs twice. If a share for `valid` is
/// asked for and no document's hash falls into it, the document with the smallest hash is taken,
/// unless it is the only one. The same options and inputs give the same bytes.
///
/// Throws kUsage for options that exclude each other, for specials that the tokenizer cannot have;
/// kBadData naming input and byte or line, or for a corpus without documents; kCannotCreate, kIo.
/// Progress is in bytes of input.
BuildResult build_corpus(const BuildOptions& options, const ProgressFunction& progress = {});

}  // namespace pretrain
