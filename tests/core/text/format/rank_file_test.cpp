#include "core/text/format/rank_file.h"

#include <gtest/gtest.h>

#include "core/text/model/bpe.h"
#include "core/text/tokenizer_json.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using testing::expect_error;

std::string base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 63];
    }
  }
  return text;
}

std::string line(const std::string& token, std::size_t rank) {
  return base64(token) + " " + std::to_string(rank) + "\n";
}

std::string all_bytes() {
  std::string text;
  for (int byte = 0; byte < 256; ++byte) {
    text += line(std::string(1, static_cast<char>(byte)), static_cast<std::size_t>(byte));
  }
  return text;
}

TEST(RankFile, MergesAreThosePartsIntoWhichLowerRanksCutAToken) {
  // "abc" is made of "a" and "bc", as "bc" has the lower rank of "ab" and "bc"; "xyz" of nothing.
  const std::string file =
      all_bytes() + line("bc", 256) + line("ab", 257) + line("abc", 258) + line("xyz", 259);
  const ByteLevelParts parts = read_rank_file(file, "r", "gpt2", {});
  ASSERT_EQ(parts.merges.size(), 3u);
  EXPECT_EQ(parts.merges[0].left + "+" + parts.merges[0].right, "b+c");
  EXPECT_EQ(parts.merges[1].left + "+" + parts.merges[1].right, "a+b");
  EXPECT_EQ(parts.merges[2].left + "+" + parts.merges[2].right, "a+bc");
  EXPECT_TRUE(parts.ignore_merges);
  const auto model =
      make_bpe(parts.vocabulary, parts.merges, {.byte_level = true, .ignore_merges = true}, "r");
  std::vector<std::uint32_t> ids;
  for (const char* word : {"xyz", "xyzz", "abc"}) model->encode(word, ids);
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{259, 'x', 'y', 'z', 'z', 258}));
}

TEST(RankFile, SpecialTokensFillGaps) {
  const ByteLevelParts parts = read_rank_file(all_bytes() + line(" a", 257) + "\r\n", "r", "cl100k",
                                              {{"<|endoftext|>", 256}, {"<|x|>", 258}});
  EXPECT_EQ(parts.vocabulary[256], "<|endoftext|>");
  EXPECT_EQ(parts.vocabulary[257], "\u0120a");
  EXPECT_EQ(parts.vocabulary.size(), 258u);
}

TEST(RankFile, WhatIsBrokenIsNamed) {
  const auto fails = [](const std::string& file, const char* message) {
    expect_error(ExitCode::kBadData, message, [&] { read_rank_file(file, "r", "gpt2", {}); });
  };
  fails("", "r: byte 0 has no token");
  fails(all_bytes().substr(line("a", 0).size()), "r: byte 0 has no token");
  for (const char* bad : {"YQ==", "YQ== ", "YQ== x", "YQ== -1", "YQ== 1 ", "Y Q== 1", "YQ= 1", " 1",
                          "Y*== 1", "YQ== 2097152", "YQ== 99999999999999999999"}) {
    fails(all_bytes() + bad + "\n", "r:257: \"");
  }
  fails(all_bytes() + line("ab", 3), "r:257: rank 3 comes twice");
  fails(all_bytes() + line("a", 256), "r:257: the token of rank 97 comes again with rank 256");
  fails(all_bytes() + line("ab", 258), "r: rank 256 is left out, expected all up to 258");
  expect_error(ExitCode::kUsage, "no split pattern is named \"gpt9\". There are: gpt2",
               [&] { read_rank_file(all_bytes(), "r", "gpt9", {}); });
}

}  // namespace
}  // namespace pretrain
