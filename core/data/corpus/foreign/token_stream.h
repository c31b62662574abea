#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/files/file.h"
#include "core/data/corpus/foreign/document_sink.h"
#include "core/data/corpus/foreign/token_type.h"
#include "core/data/corpus/progress.h"

namespace pretrain {

/// A file of token ids without any mark of where documents are.
class TokenFile {
 public:
  /// nanoGPT: `type` (u16 or u32) from the first byte to the last. Throws kBadData if the file is
  /// empty or its size is no multiple of the type's.
  static TokenFile nanogpt(const std::string& path, TokenType type);
  /// llm.c: a header of 256 x i32 with [0] magic, [1] version, [2] number of tokens; 20240520 and
  /// 1: u16, 20240801 and 7: u32. Throws kBadData naming the field that is wrong.
  static TokenFile llmc(const std::string& path);

  const std::string& path() const { return file_.path(); }
  TokenType type() const { return type_; }
  std::uint64_t begin() const { return begin_; }  ///< byte of the first id
  std::uint64_t tokens() const { return tokens_; }
  const InputFile& file() const { return file_; }

 private:
  TokenFile(InputFile file, TokenType type, std::uint64_t begin, std::uint64_t tokens)
      : file_(std::move(file)), type_(type), begin_(begin), tokens_(tokens) {}
  InputFile file_;
  TokenType type_;
  std::uint64_t begin_;
  std::uint64_t tokens_;
};

/// The first 1,024 bytes of an llm.c file with `tokens` tokens of type u16 or u32. Throws kBadData,
/// message starting with `place`, if the count does not fit into the header's i32.
std::vector<std::byte> llmc_header(TokenType type, std::uint64_t tokens, const std::string& place);

/// Where a stream of tokens is cut into documents.
struct TokenCut {
  std::int64_t id = -1;  ///< -1: the whole stream is one document
  bool before = false;   ///< true: the id begins a document (llm.c); false: it ends one (nanoGPT)
};

/// Gives the tokens of all `files`, joined in this order, to `sink`, cut into documents, none of
/// which is empty. Memory is bounded. Throws kBadData for an id that is not below `vocab_size`, or
/// a file that changes meanwhile. Progress is in bytes.
void read_token_stream(const std::vector<TokenFile>& files, TokenCut cut, std::uint64_t vocab_size,
                       DocumentSink& sink, const ProgressFunction& progress);

}  // namespace pretrain
