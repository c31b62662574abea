#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/files/mapped_file.h"
#include "core/data/corpus/corpus_manifest.h"
#include "core/data/corpus/progress.h"
#include "core/text/tokenizer.h"

namespace pretrain {

/// How much of a corpus is compared with its manifest when it is opened.
enum class CorpusVerification {
  kAuto,     ///< kFull up to kFullVerifyBytes, else kSampled
  kFull,     ///< every byte
  kSampled,  ///< all tables and 1 % of the token blocks
  /// Sizes and splits only: time by the ranges of the splits; the rest is checked as it is read.
  kSizes,
};
inline constexpr std::uint64_t kFullVerifyBytes = std::uint64_t{16} << 30;

/// The part of the token blocks that one of several processes compares: every `parts`-th.
struct VerifyShare {
  std::uint64_t part = 0;
  std::uint64_t parts = 1;
};

/// A corpus opened for reading: NAME.h5 mapped into memory at the places its manifest names,
/// without an HDF5 parser. Immutable; safe to share between threads.
class Corpus {
 public:
  /// Opens NAME.h5 and NAME.manifest.json. Throws kBadData naming file and fault if one is missing,
  /// damaged or changed, if offsets fall, or if splits leave the documents or overlap.
  static std::shared_ptr<const Corpus> open(const std::string& path, CorpusVerification mode,
                                            const ProgressFunction& progress = {},
                                            VerifyShare share = {});
  /// The same with a manifest that is at hand, for files without one.
  Corpus(const std::string& path, CorpusManifest manifest, CorpusVerification mode,
         const ProgressFunction& progress, VerifyShare share = {});

  const std::string& path() const { return file_.path(); }
  const CorpusManifest& manifest() const { return manifest_; }
  const CorpusAttributes& attributes() const { return manifest_.table.attributes; }
  std::int64_t vocab_size() const { return static_cast<std::int64_t>(attributes().vocab_size); }
  /// Largest id in the tokens, as the manifest says; read_tokens checks each id all the same.
  std::int64_t max_id() const { return static_cast<std::int64_t>(attributes().max_id); }
  std::int64_t eos_id() const { return attributes().eos_id; }  ///< -1: none
  std::uint64_t documents() const { return attributes().documents; }
  std::uint64_t tokens() const { return attributes().tokens; }
  const std::string& tokenizer_sha256() const { return attributes().tokenizer_sha256; }
  const std::string& fingerprint() const { return manifest_.fingerprint; }

  struct SplitSize {
    std::string name;
    std::uint64_t documents = 0;
    std::uint64_t tokens = 0;
  };
  std::vector<std::string> splits() const;
  std::vector<SplitSize> split_sizes() const;
  /// The split's documents in order, borrowed from the file. Throws kBadData naming the splits
  /// there are.
  DocumentRanges split(const std::string& name) const;
  /// Position of the first token of document `d`; documents() gives tokens(). Throws kBadData if
  /// it is before that of the document before.
  std::uint64_t document_begin(std::uint64_t d) const;
  bool has_document_bytes() const { return !doc_bytes_.empty(); }
  /// UTF-8 bytes of the source of document `d`; only if has_document_bytes().
  std::uint32_t document_bytes(std::uint64_t d) const;

  bool has_document_sources() const { return !doc_source_.empty(); }
  /// Index into attributes().sources of document `d`; only if has_document_sources(). Throws
  /// kBadData if there is no such source.
  std::size_t document_source(std::uint64_t d) const;

  /// out = the tokens from position `begin`; begin + out.size() <= tokens(). Throws kBadData if an
  /// id is not below vocab_size().
  void read_tokens(std::uint64_t begin, std::span<std::int64_t> out) const;

  /// Says to the kernel that read_tokens will be called for these; from any thread.
  void will_read(std::uint64_t begin, std::uint64_t count) const;
  /// Does the kernel hold (nearly) all tokens in memory? Then will_read is of no use.
  bool is_resident() const { return file_.resident_share(tokens_) > 0.95; }
  /// Number of the document that the token at `position` (< tokens()) belongs to.
  std::uint64_t document_at(std::uint64_t position) const;

  /// Goes once over the tables of documents. Throws kBadData if offsets fall or the bytes do not
  /// add up. Opening does it, but for kSizes.
  void check_documents() const;

  /// The tokenizer in NAME.tokenizer.json. Throws kBadData if it is missing or not the one the
  /// corpus was built with.
  std::unique_ptr<Tokenizer> load_tokenizer() const;

  /// See MappedFile::check_unchanged. Called before each checkpoint of a run.
  std::optional<std::string> check_unchanged() const { return file_.check_unchanged(); }

 private:
  std::span<const std::byte> dataset(const std::string& name) const;
  void verify_blocks(std::uint64_t begin, std::uint64_t stride, const ProgressFunction&) const;
  void verify_tables() const;
  void check_splits() const;

  CorpusManifest manifest_;
  MappedFile file_;
  std::span<const std::byte> tokens_;
  std::span<const std::byte> doc_offsets_;
  std::span<const std::byte> doc_bytes_;
  std::span<const std::byte> doc_source_;
};

}  // namespace pretrain
