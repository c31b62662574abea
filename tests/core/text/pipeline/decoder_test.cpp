#include "core/text/pipeline/decoder.h"

#include <gtest/gtest.h>

namespace pretrain {
namespace {

std::string decode(const std::unique_ptr<TokenDecoder>& decoder, std::vector<std::string> tokens) {
  decoder->decode(tokens);
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

TEST(TokenDecoder, ByteLevelKeepsInvalidBytesAndForeignTokens) {
  const auto decoder = make_byte_level_decoder();
  EXPECT_EQ(decode(decoder, {"\u0120a", "\u00c3", "\u00a9"}), " a\u00e9");
  EXPECT_EQ(decode(decoder, {"\u00c3", "a"}),
            "\xC3"
            "a");
  EXPECT_EQ(decode(decoder, {"\u4e2d\u0120", "\u0120"}), "\u4e2d\u0120 ");
  EXPECT_EQ(decode(decoder, {}), "");
}

TEST(TokenDecoder, WordPieceJoinsAndCleansUp) {
  const std::vector<std::string> tokens = {"don", "'", "t", "play", "##ing", "!"};
  EXPECT_EQ(decode(make_word_piece_decoder("##", true), tokens), "don ' t playing!");
  EXPECT_EQ(decode(make_word_piece_decoder("##", false), tokens), "don ' t playing !");
  EXPECT_EQ(decode(make_word_piece_decoder("##", true), {"##a", "##b"}), "##ab");
}

TEST(TokenDecoder, MetaspaceAndSuffixes) {
  EXPECT_EQ(decode(make_metaspace_decoder("\u2581", true), {"\u2581a", "\u2581b"}), "a b");
  EXPECT_EQ(decode(make_metaspace_decoder("\u2581", false), {"\u2581a", "b"}), " ab");
  EXPECT_EQ(decode(make_bpe_decoder("</w>"), {"lo", "w</w>", "x</w>"}), "low x");
}

TEST(TokenDecoder, ByteFallbackOfWholeAndBrokenRows) {
  const auto decoder = make_byte_fallback_decoder();
  EXPECT_EQ(decode(decoder, {"a", "<0xC3>", "<0xA9>", "b"}), "a\u00e9b");
  EXPECT_EQ(decode(decoder, {"<0xC3>", "<0xa9>", "<0xFF>"}), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(decode(decoder, {"<0xGG>", "<0x1>"}), "<0xGG><0x1>");
}

TEST(TokenDecoder, StripReplaceFuse) {
  EXPECT_EQ(decode(make_strip_decoder(" ", 1, 0), {"  a ", " b"}), " a b");
  EXPECT_EQ(decode(make_strip_decoder("\u00e9", 9, 9), {"\u00e9\u00e9", "b\u00e9"}), "b");
  EXPECT_EQ(decode(make_replace_decoder("ab", "aba"), {"abab"}), "abaaba");
  std::vector<std::unique_ptr<TokenDecoder>> parts;
  parts.push_back(make_replace_decoder("\u2581", " "));
  parts.push_back(make_fuse_decoder());
  parts.push_back(make_strip_decoder(" ", 1, 0));
  EXPECT_EQ(decode(make_decoder_sequence(std::move(parts)), {"\u2581a", "\u2581b"}), "a b");
}

}  // namespace
}  // namespace pretrain
