#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/files/mapped_file.h"
#include "core/data/corpus/foreign/document_sink.h"
#include "core/data/corpus/foreign/token_type.h"
#include "core/data/corpus/progress.h"

namespace pretrain {

/// Megatron-LM's PREFIX.idx, which says where in PREFIX.bin its sequences and documents are:
///   "MMIDIDX\0\0"  u64 version 1  u8 type (8 u16, 4 i32, 5 i64, 3 i16)
///   u64 sequences  u64 entries of the document index (documents + 1)
///   i32 lengths[sequences]   tokens
///   i64 pointers[sequences]  bytes into PREFIX.bin, where each begins where the one before ends
///   i64 document_index[]     first sequence of each document; the last entry is `sequences`
///   i8 modes[sequences]      optional: 0 is text
/// A document is the sequences from its entry to the next one's. Immutable.
class MegatronIndex {
 public:
  /// Reads all of PREFIX.idx, in memory that does not grow with it. Throws kBadData naming file and
  /// byte of what is wrong: a header field, a size, a length, a pointer, an entry, PREFIX.bin's
  /// size.
  explicit MegatronIndex(const std::string& prefix);

  TokenType type() const { return type_; }
  std::uint64_t sequences() const { return sequences_; }
  std::uint64_t documents() const { return documents_; }
  std::uint64_t tokens() const { return tokens_; }
  /// First sequence of document `d`; documents() gives sequences().
  std::uint64_t first_sequence(std::uint64_t d) const;
  /// Tokens of sequence `s`.
  std::uint64_t length(std::uint64_t s) const;
  /// Sequences whose mode is not 0.
  std::uint64_t other_modes() const { return other_modes_; }

 private:
  void read_header();
  void check_sequences(std::uint64_t bin_bytes, const std::string& bin);
  void check_documents() const;
  void read_modes();

  MappedFile file_;
  TokenType type_ = TokenType::kU16;
  std::uint64_t sequences_ = 0;
  std::uint64_t documents_ = 0;
  std::uint64_t tokens_ = 0;
  std::uint64_t other_modes_ = 0;
  bool has_modes_ = false;
};

/// "a.bin" and "a.idx" -> "a"; other names stay.
std::string megatron_prefix(const std::string& name);

/// Gives the documents of PREFIX.bin to `sink`, empty ones too. Throws kBadData as MegatronIndex
/// does, for an id that is not below `vocab_size`, and for a file that changes meanwhile. Progress
/// is in bytes of PREFIX.bin.
void read_megatron(const std::string& prefix, const MegatronIndex& index, std::uint64_t vocab_size,
                   DocumentSink& sink, const ProgressFunction& progress);

/// The first 34 bytes of PREFIX.idx. Throws kUsage, message starting with `place`, for a type that
/// Megatron-LM does not have.
std::vector<std::byte> megatron_header(TokenType type, std::uint64_t sequences,
                                       std::uint64_t documents, const std::string& place);

}  // namespace pretrain
