#include "core/data/corpus/foreign/token_stream.h"

#include "tests/core/data/corpus/foreign/foreign_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using Documents = std::vector<std::vector<std::uint32_t>>;

class TokenStreamTest : public CorpusFixture {
 protected:
  std::string nanogpt(const std::string& name, const std::vector<std::uint16_t>& ids) const {
    return write(name, packed(ids));
  }
  static std::string header(std::int32_t magic, std::int32_t version, std::int32_t tokens) {
    std::vector<std::int32_t> fields(256, 0);
    fields[0] = magic;
    fields[1] = version;
    fields[2] = tokens;
    return packed(fields);
  }
  std::string llmc(const std::string& name, const std::vector<std::uint16_t>& ids) const {
    return write(name, header(20240520, 1, static_cast<std::int32_t>(ids.size())) + packed(ids));
  }
  static Documents read_documents(const std::vector<TokenFile>& files, TokenCut cut) {
    DocumentList list;
    read_token_stream(files, cut, 50257, list, {});
    return list.documents;
  }
};

TEST_F(TokenStreamTest, CutsAfterOrBeforeAnId) {
  std::vector<TokenFile> files;
  files.push_back(TokenFile::nanogpt(nanogpt("a.bin", {9, 1, 2, 9, 9, 3}), TokenType::kU16));
  EXPECT_EQ(read_documents(files, {}), (Documents{{9, 1, 2, 9, 9, 3}}));
  EXPECT_EQ(read_documents(files, {.id = 9}), (Documents{{9}, {1, 2, 9}, {9}, {3}}));
  EXPECT_EQ(read_documents(files, {.id = 9, .before = true}), (Documents{{9, 1, 2}, {9}, {9, 3}}));
  EXPECT_EQ(read_documents(files, {.id = 3}), (Documents{{9, 1, 2, 9, 9, 3}}));
  EXPECT_EQ(read_documents(files, {.id = 1, .before = true}), (Documents{{9}, {1, 2, 9, 9, 3}}));
}

TEST_F(TokenStreamTest, DocumentsGoOnInTheNextShard) {
  std::vector<TokenFile> files;
  files.push_back(TokenFile::llmc(llmc("a.bin", {9, 1, 2})));
  files.push_back(TokenFile::llmc(llmc("b.bin", {3, 9, 4})));
  files.push_back(TokenFile::llmc(llmc("c.bin", {9, 5})));
  EXPECT_EQ(read_documents(files, {.id = 9, .before = true}),
            (Documents{{9, 1, 2, 3}, {9, 4}, {9, 5}}));
}

TEST_F(TokenStreamTest, CutsAreTheSameWhereverPiecesEnd) {
  std::vector<std::uint16_t> ids(5'000'000);  // more than are read at once
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<std::uint16_t>(i * 2654435761u % 1000);
  }
  std::vector<TokenFile> files;
  files.push_back(TokenFile::nanogpt(nanogpt("a.bin", ids), TokenType::kU16));
  for (const bool before : {false, true}) {
    Documents expected(1);
    for (const std::uint16_t id : ids) {
      if (before && id == 7 && !expected.back().empty()) expected.emplace_back();
      expected.back().push_back(id);
      if (!before && id == 7) expected.emplace_back();
    }
    if (expected.back().empty()) expected.pop_back();
    EXPECT_EQ(read_documents(files, {.id = 7, .before = before}), expected);
  }
}

TEST_F(TokenStreamTest, ReadsBothKindsOfLlmcFiles) {
  write("w.bin", header(20240801, 7, 2) + packed<std::uint32_t>({1, 40000}));
  const TokenFile wide = TokenFile::llmc(path("w.bin"));
  EXPECT_EQ(wide.type(), TokenType::kU32);
  EXPECT_EQ(wide.tokens(), 2u);
  std::vector<TokenFile> files;
  files.push_back(TokenFile::llmc(path("w.bin")));
  EXPECT_EQ(read_documents(files, {}), (Documents{{1, 40000}}));
  for (const TokenType type : {TokenType::kU16, TokenType::kU32}) {
    const auto bytes = llmc_header(type, 2, "x");
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
              type == TokenType::kU16 ? header(20240520, 1, 2) : header(20240801, 7, 2));
  }
  EXPECT_THAT(message([] { llmc_header(TokenType::kU16, std::uint64_t{1} << 31, "t.bin"); }),
              HasSubstr("t.bin: 2147483648 tokens, an llm.c file counts at most 2147483647"));
}

TEST_F(TokenStreamTest, EachHeaderFieldOfLlmcWrongOnceIsNamed) {
  const std::string data = packed<std::uint16_t>({1, 2});
  const auto refusal = [&](const std::string& content) {
    return message([&] { TokenFile::llmc(write("a.bin", content)); });
  };
  EXPECT_THAT(refusal(header(20240519, 1, 2) + data),
              HasSubstr("a.bin: byte 0: magic number 20240519, expected 20240520 or 20240801"));
  EXPECT_THAT(refusal(header(20240520, 7, 2) + data),
              HasSubstr("a.bin: byte 4: version 7, expected 1 with magic number 20240520"));
  EXPECT_THAT(refusal(header(20240801, 1, 1) + data), HasSubstr("byte 4: version 1, expected 7"));
  for (const std::int32_t tokens : {-1, 0, 1, 3, INT32_MAX, INT32_MIN}) {
    EXPECT_THAT(refusal(header(20240520, 1, tokens) + data),
                HasSubstr(concat("a.bin: byte 8: ", tokens,
                                 " tokens of 2 bytes, but 4 bytes follow the header")));
  }
  EXPECT_THAT(refusal(header(20240801, 7, 1) + data + "x"), HasSubstr("byte 8: 1 tokens of 4"));
  EXPECT_THAT(refusal(header(20240520, 1, 0)), HasSubstr("byte 8: 0 tokens"));
  EXPECT_THAT(refusal(header(20240520, 1, 2).substr(1)),
              HasSubstr("has 1023 bytes, expected an llm.c header of 1024"));
}

TEST_F(TokenStreamTest, OddSizesAndIdsAreNamed) {
  const auto open = [&](const std::string& content, TokenType type) {
    return message([&] { TokenFile::nanogpt(write("n.bin", content), type); });
  };
  EXPECT_THAT(open("", TokenType::kU16), HasSubstr("has 0 bytes, expected a multiple of 2 (u16)"));
  EXPECT_THAT(open("abc", TokenType::kU16), HasSubstr("n.bin: has 3 bytes"));
  EXPECT_THAT(open("abcdef", TokenType::kU32), HasSubstr("expected a multiple of 4 (u32)"));
  std::vector<TokenFile> files;
  files.push_back(TokenFile::llmc(llmc("a.bin", {1, 50257})));
  EXPECT_THAT(message([&] { read_documents(files, {}); }),
              HasSubstr("a.bin: byte 1026: token id 50257, expected 0 to 50256"));
}

}  // namespace
}  // namespace pretrain
