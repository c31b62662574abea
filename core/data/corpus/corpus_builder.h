#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/data/corpus/corpus.h"
#include "core/data/corpus/filter/drop_report.h"
#include "core/data/corpus/filter/duplicate_index.h"
#include "core/data/corpus/filter/quality_filter.h"
#include "core/data/corpus/progress.h"
#include "core/data/corpus/text_reader.h"
#include "core/text/format/open_tokenizer.h"
#include "core/text/tokenizer.h"

namespace pretrain {

/// What `pretrain corpus build` is asked to do.
struct BuildOptions {
  std::string output = {};                 ///< NAME.h5
  std::string tokenizer = {};              ///< byte, char, or path of a tokenizer.json
  std::vector<std::string> specials = {};  ///< further special tokens; byte and char only
  /// Files, folders, patterns (see input_files), or "-" for the standard input.
  std::vector<std::string> inputs = {};
  std::vector<std::string> validation_inputs = {};  ///< put whole into the split `valid`
  TextFormat format = {};
  /// Close every document with the tokenizer's eos; unset: if it has one (char: yes).
  std::optional<bool> eos = std::nullopt;
  /// Share of the documents of `inputs` for the split `valid`, in [0, 1), chosen by a keyed hash of
  /// the document's number; unset: 0.01 without validation inputs, else 0.
  std::optional<double> valid_fraction = std::nullopt;
  /// Which documents are left out, those of `validation_inputs` too; in this order.
  QualityRules quality = {};
  DuplicateRules duplicates = {};
  bool force = false;    ///< replace an existing corpus
  bool restart = false;  ///< do not go on where an earlier build of this output stopped
  std::size_t jobs = 0;  ///< threads that encode; 0: one a processor. The bytes do not depend on it
  /// Most tokens of a file NAME-00000-of-00008.h5, a larger document aside; 0: one file, NAME.h5.
  std::uint64_t shard_tokens = 0;
  /// Bytes of the inputs after which what was done is made durable, which also happens every ten
  /// seconds: a build that is killed does at most this much again.
  std::uint64_t part_bytes = std::uint64_t{64} << 20;
  std::string created_by = "pretrain";
};

/// What was built, for a summary line.
struct BuildResult {
  std::string path;              ///< of the corpus, or of its first shard
  std::size_t shards = 0;        ///< files NAME-00000-of-00008.h5; 0: one file, NAME.h5
  std::uint64_t taken_over = 0;  ///< documents that an earlier build had done
  std::uint64_t documents = 0;
  DropReport report;         ///< documents left out
  std::uint64_t tokens = 0;  ///< eos included
  std::uint64_t source_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t vocab_size = 0;
  std::uint64_t max_id = 0;
  std::string dtype;
  std::string fingerprint;
  std::vector<Corpus::SplitSize> splits;

  std::uint64_t empty_documents() const;  ///< skipped
  /// One line without a line end.
  std::string to_text() const;
};

/// Reads all inputs in the given order and writes NAME.h5, NAME.manifest.json and
/// NAME.tokenizer.json (of shards, all of each), and NAME.report.json if a filter was asked for or
/// text was invalid: all of them or none. `char` reads the inputs twice. If a share for `valid` is
/// asked for and no document's hash falls into it, the document with the smallest hash is taken,
/// unless it is the only one. The same options and inputs give the same bytes, for any `jobs`, and
/// also if builds were killed on the way.
///
/// Work lies in the folder NAME.h5.build, which goes at the end, or at a fault before the first
/// part was made durable. Another call with the same options and inputs goes on behind the last
/// durable part, whose bytes it compares with their digests first. The standard input cannot be
/// read twice: such a build begins anew. A tokenizer given as NAME.tokenizer.json itself stays as
/// it is.
///
/// Memory: see CorpusBuild; 8 bytes a document of `valid`; what DuplicateIndex says.
///
/// Throws kUsage for options that exclude each other or changed since the unfinished build, for
/// specials that the tokenizer cannot have; kBadData naming input and byte or line, for a corpus
/// without documents, or an input that changed; kLocked if the same output is being built;
/// kCannotCreate, kIo. Progress is in bytes of input.
BuildResult build_corpus(const BuildOptions& options, const ProgressFunction& progress = {});

}  // namespace pretrain
