#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pretrain {

/// How another program stores a token id; all little-endian.
enum class TokenType { kU16, kU32, kI16, kI32, kI64 };

/// "u16" -> kU16. Throws kUsage naming the types, message starting with `place`.
TokenType token_type(const std::string& name, const std::string& place);
const char* token_type_name(TokenType type);
std::size_t token_bytes(TokenType type);
/// Largest id that the type can hold.
std::uint64_t largest_token(TokenType type);

/// Where ids come from, for messages.
struct FileTokenPlace {
  std::string file;
  std::uint64_t offset = 0;      ///< of the first id, in bytes
  std::uint64_t vocab_size = 0;  ///< ids must be below
};

/// ids = the tokens in `raw`, whose size is a multiple of token_bytes. Throws kBadData naming file
/// and byte of an id that is negative or not below the vocabulary size.
void unpack_tokens(TokenType type, std::span<const std::byte> raw, const FileTokenPlace& place,
                   std::vector<std::uint32_t>& ids);
/// raw = the ids as `type`, into which each must fit (see largest_token).
void pack_tokens(TokenType type, std::span<const std::int64_t> ids, std::vector<std::byte>& raw);

}  // namespace pretrain
