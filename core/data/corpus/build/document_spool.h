#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/files/directory.h"
#include "core/data/corpus/build/growing_file.h"
#include "core/data/corpus/corpus_writer.h"

namespace pretrain {

/// A run of documents of a spool that becomes one corpus file.
struct SpoolShard {
  std::uint64_t first_document = 0;
  std::uint64_t documents = 0;
  std::uint64_t first_token = 0;
  std::uint64_t tokens = 0;
  std::uint64_t source_bytes = 0;
  std::uint64_t max_id = 0;
  bool operator==(const SpoolShard&) const = default;
};

/// How far a spool is: enough to take it over after a kill.
struct SpoolState {
  struct File {
    std::uint64_t bytes = 0;
    std::string digest;  ///< XXH3-128 of those bytes
    bool operator==(const File&) const = default;
  };
  std::map<std::string, File> files;
  std::vector<SpoolShard> shards;
  bool operator==(const SpoolState&) const = default;
};

/// Tokens and tables of the documents of a corpus on disk, before their number is known. Grows in
/// memory of a few MiB. Not thread-safe. Errors: kCannotCreate for a full disk, kIo.
class DocumentSpool {
 public:
  /// In nameless files beside `path`, the output, which also stands in messages.
  DocumentSpool(const std::string& path, const CorpusHeader& header);
  /// In named files of `folder`, which survive the process. A new shard begins where the next
  /// document would lift the last one above `shard_tokens`; 0: there is one shard.
  DocumentSpool(const std::string& path, const CorpusHeader& header, const Directory& folder,
                std::uint64_t shard_tokens);
  /// The same, with what stands in `folder` up to `state`. Throws kBadData if that is damaged.
  DocumentSpool(const std::string& path, const CorpusHeader& header, const Directory& folder,
                std::uint64_t shard_tokens, const SpoolState& state);

  /// See CorpusWriter.
  void append(std::span<const std::uint32_t> ids);
  void end_document(std::uint64_t source_bytes, std::size_t source = 0);
  void set_eos_id(std::int64_t eos_id) { header_.eos_id = eos_id; }
  std::uint64_t documents() const { return documents_; }
  std::uint64_t tokens() const { return tokens_; }
  const std::vector<SpoolShard>& shards() const { return shards_; }
  const CorpusHeader& header() const { return header_; }
  std::uint64_t token_bytes() const { return token_bytes_; }  ///< of one token on disk

  void flush();
  /// Makes everything durable and says how far it is.
  SpoolState commit();

  const GrowingFile& token_file() const { return token_file_; }
  const GrowingFile& offset_file() const { return offset_file_; }  ///< u64 ends, without the 0
  const GrowingFile& size_file() const { return size_file_; }      ///< u32 source bytes
  const GrowingFile& source_file() const { return source_file_; }  ///< u16 source

 private:
  DocumentSpool(const std::string& path, const CorpusHeader& header, std::uint64_t shard_tokens,
                GrowingFile tokens, GrowingFile offsets, GrowingFile sizes, GrowingFile sources);

  std::string path_;
  CorpusHeader header_;
  std::uint64_t shard_tokens_;
  std::uint64_t token_bytes_;
  std::uint64_t documents_ = 0;
  std::uint64_t tokens_ = 0;
  std::vector<SpoolShard> shards_;
  GrowingFile token_file_;
  GrowingFile offset_file_;
  GrowingFile size_file_;
  GrowingFile source_file_;
  std::uint64_t open_tokens_ = 0;  // of the document that has not ended
  std::uint64_t open_max_id_ = 0;
};

}  // namespace pretrain
