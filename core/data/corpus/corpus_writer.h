#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/data/corpus/corpus_format.h"
#include "core/data/corpus/corpus_manifest.h"
#include "core/data/corpus/progress.h"

namespace pretrain {

/// What a writer must know before the first document.
struct CorpusHeader {
  std::uint64_t vocab_size = 0;
  std::int64_t eos_id = -1;  ///< appended to every document; -1: nothing is
  std::string tokenizer_sha256;
  std::string created_by;
  bool append_eos = true;  ///< false: documents come with their eos_id already
  /// Record /doc_bytes. false: bytes per document are not known; those given are not kept.
  bool document_bytes = true;
  /// Names of the sources that add_document counts; empty: no /doc_source.
  std::vector<std::string> sources = {};
};

/// Throws kUsage if `path` does not end in ".h5", kCannotCreate if one of the three files of the
/// corpus exists and `force` is not set. CorpusWriter does this by itself; for a check before long
/// work.
void check_corpus_output(const std::string& path, bool force);

/// Writes a corpus, document by document, in memory that does not grow with it. Tokens and tables
/// are spooled to nameless files in the folder of the output; finish() lays them out as HDF5. Until
/// finish() publishes all three files (the manifest last), nothing has changed at the output; a
/// writer that goes away earlier leaves nothing behind. The bytes written depend on the arguments
/// alone. Not thread-safe.
///
/// Errors: kCannotCreate if an output exists and `force` is not set, or the disk is full (path,
/// need and free space in the message); kLocked while another command makes the same corpus; kIo.
class CorpusWriter {
 public:
  /// Throws as check_corpus_output does, kLocked, and kUsage for more or longer sources than fit.
  CorpusWriter(const std::string& path, const CorpusHeader& header, bool force);
  ~CorpusWriter();
  CorpusWriter(const CorpusWriter&) = delete;
  CorpusWriter& operator=(const CorpusWriter&) = delete;

  /// `source_bytes`: UTF-8 bytes of the document's text, at most kMaxDocumentBytes. Throws kBadData
  /// for an id that is not below vocab_size.
  /// `source`: index into the header's sources.
  void add_document(std::span<const std::uint32_t> ids, std::uint64_t source_bytes,
                    std::size_t source = 0) {
    append(ids);
    end_document(source_bytes, source);
  }
  /// The same in pieces, for documents that do not fit into memory.
  void append(std::span<const std::uint32_t> ids);
  void end_document(std::uint64_t source_bytes, std::size_t source = 0);
  /// Replaces the header's eos_id, for documents that come closed and tell only at their end by
  /// what. Before finish(), with append_eos false.
  void set_eos_id(std::int64_t eos_id);
  std::uint64_t documents() const;
  std::uint64_t tokens() const;

  /// Throws kBadData if there is no document or no token. Splits without ranges are left out;
  /// `tokenizer_json` becomes NAME.tokenizer.json, which is left out if it is empty. Call once.
  CorpusManifest finish(const std::map<std::string, std::vector<DocumentRange>>& splits,
                        const std::string& tokenizer_json, const ProgressFunction& progress);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pretrain
