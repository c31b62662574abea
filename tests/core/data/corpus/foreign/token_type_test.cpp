#include "core/data/corpus/foreign/token_type.h"

#include "tests/core/data/corpus/foreign/foreign_fixture.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using testing::expect_error;

TEST(TokenType, UnpackGivesWhatPackTook) {
  for (const char* name : {"u16", "u32", "i16", "i32", "i64"}) {
    const TokenType type = token_type(name, "x");
    EXPECT_STREQ(token_type_name(type), name);
    const auto largest =
        static_cast<std::int64_t>(std::min<std::uint64_t>(largest_token(type), UINT32_MAX));
    const std::vector<std::int64_t> ids = {0, 1, 255, 256, largest - 1, largest};
    std::vector<std::byte> raw;
    pack_tokens(type, ids, raw);
    EXPECT_EQ(raw.size(), ids.size() * token_bytes(type));
    std::vector<std::uint32_t> read;
    unpack_tokens(type, raw, {"f", 0, std::uint64_t{1} << 32}, read);
    EXPECT_EQ((std::vector<std::int64_t>(read.begin(), read.end())), ids);
  }
  expect_error(ExitCode::kUsage, "--dtype: f32 is no token type. Types: u16, u32, i16, i32, i64",
               [] { token_type("f32", "--dtype"); });
}

TEST(TokenType, AnIdOutsideTheVocabularyIsNamedByItsByte) {
  const auto unpack = [](TokenType type, const std::string& raw) {
    std::vector<std::uint32_t> ids;
    unpack_tokens(type, std::as_bytes(std::span(raw)), {"a.bin", 100, 10}, ids);
  };
  expect_error(ExitCode::kBadData, "a.bin: byte 104: token id 10, expected 0 to 9. Check u16", [&] {
    unpack(TokenType::kU16, packed<std::uint16_t>({1, 9, 10}));
  });
  expect_error(ExitCode::kBadData, "a.bin: byte 104: token id -1, expected 0 to 9", [&] {
    unpack(TokenType::kI32, packed<std::int32_t>({1, -1}));
  });
  expect_error(ExitCode::kBadData, "a.bin: byte 100: token id -9223372036854775808,",
               [&] { unpack(TokenType::kI64, packed<std::int64_t>({INT64_MIN})); });
  expect_error(ExitCode::kBadData, "token id 4294967296,",
               [&] { unpack(TokenType::kI64, packed<std::int64_t>({std::int64_t{1} << 32})); });
}

}  // namespace
}  // namespace pretrain
