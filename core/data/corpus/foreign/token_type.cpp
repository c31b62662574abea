#include "core/data/corpus/foreign/token_type.h"

#include <array>
#include <cstring>
#include <limits>

#include "core/base/error.h"

namespace pretrain {
namespace {

struct TypeRow {
  TokenType type;
  const char* name;
  std::size_t bytes;
  std::uint64_t largest;
};

template <class T>
constexpr TypeRow row(TokenType type, const char* name) {
  return {type, name, sizeof(T), static_cast<std::uint64_t>(std::numeric_limits<T>::max())};
}

constexpr std::array kTypes = {
    row<std::uint16_t>(TokenType::kU16, "u16"), row<std::uint32_t>(TokenType::kU32, "u32"),
    row<std::int16_t>(TokenType::kI16, "i16"), row<std::int32_t>(TokenType::kI32, "i32"),
    row<std::int64_t>(TokenType::kI64, "i64")};

const TypeRow& row_of(TokenType type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row;
  }
  fail(ExitCode::kInternal, "token type ", static_cast<int>(type));
}

// Calls `act` with a value of the C++ type that `type` names.
template <class Act>
void dispatch(TokenType type, Act&& act) {
  switch (type) {
    case TokenType::kU16:
      return act(std::uint16_t{});
    case TokenType::kU32:
      return act(std::uint32_t{});
    case TokenType::kI16:
      return act(std::int16_t{});
    case TokenType::kI32:
      return act(std::int32_t{});
    case TokenType::kI64:
      return act(std::int64_t{});
  }
}

}  // namespace

TokenType token_type(const std::string& name, const std::string& place) {
  std::string known;
  for (const TypeRow& row : kTypes) {
    if (name == row.name) return row.type;
    known += concat(known.empty() ? "" : ", ", row.name);
  }
  fail(ExitCode::kUsage, place, ": ", name, " is no token type. Types: ", known);
}

const char* token_type_name(TokenType type) { return row_of(type).name; }
std::size_t token_bytes(TokenType type) { return row_of(type).bytes; }
std::uint64_t largest_token(TokenType type) { return row_of(type).largest; }

void unpack_tokens(TokenType type, std::span<const std::byte> raw, const FileTokenPlace& place,
                   std::vector<std::uint32_t>& ids) {
  dispatch(type, [&](auto sample) {
    using T = decltype(sample);
    ids.resize(raw.size() / sizeof(T));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      T id;
      std::memcpy(&id, raw.data() + i * sizeof id, sizeof id);
      // A negative id becomes a huge one.
      const auto wide = static_cast<std::uint64_t>(static_cast<std::int64_t>(id));
      if (wide >= place.vocab_size) {
        fail(ExitCode::kBadData, place.file, ": byte ", place.offset + i * sizeof id, ": token id ",
             static_cast<std::int64_t>(id), ", expected 0 to ", place.vocab_size - 1, ". Check ",
             token_type_name(type), " and the vocabulary's size");
      }
      ids[i] = static_cast<std::uint32_t>(wide);
    }
  });
}

void pack_tokens(TokenType type, std::span<const std::int64_t> ids, std::vector<std::byte>& raw) {
  dispatch(type, [&](auto sample) {
    using T = decltype(sample);
    raw.resize(ids.size() * sizeof(T));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const T id = static_cast<T>(ids[i]);
      std::memcpy(raw.data() + i * sizeof id, &id, sizeof id);
    }
  });
}

}  // namespace pretrain
