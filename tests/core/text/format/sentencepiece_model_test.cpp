#include "core/text/format/sentencepiece_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "core/base/error.h"
#include "core/text/tokenizer.h"
#include "tests/testing/made_up_charsmap.h"

namespace pretrain {
namespace {

using testing::HasSubstr;
using Ids = std::vector<std::uint32_t>;

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}
std::string whole(unsigned field, std::uint64_t value) {
  return varint(field << 3) + varint(value);
}
std::string bytes(unsigned field, const std::string& value) {
  return varint(field << 3 | 2) + varint(value.size()) + value;
}
std::string piece(const std::string& text, float score, unsigned kind) {
  std::string number(1, '\x15');
  for (int i = 0; i < 4; ++i) {
    number.push_back(static_cast<char>(std::bit_cast<std::uint32_t>(score) >> (8 * i)));
  }
  return bytes(1, bytes(1, text) + number + whole(3, kind));
}

constexpr unsigned kNormal = 1, kUnknown = 2, kControl = 3, kUser = 4, kUnused = 5, kByte = 6;

std::string pieces() {
  return piece("<unk>", 0, kUnknown) + piece("<s>", 0, kControl) + piece("\u2581a", -1, kNormal) +
         piece("a", -2, kNormal) + piece("b", -3, kNormal) + piece("\u2581", -2.5, kNormal) +
         piece("ab", -3.5, kNormal);
}

std::string refusal(const std::string& model) {
  try {
    const SentencepieceModel read = read_sentencepiece_model(model, "x.model");
    tokenizer_from_json(sentencepiece_tokenizer_json(read, "x.model"), "x.model");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "nothing thrown";
}

Ids encode(const std::string& model, const std::string& text) {
  const SentencepieceModel read = read_sentencepiece_model(model, "x.model");
  Ids ids;
  tokenizer_from_json(sentencepiece_tokenizer_json(read, "x.model"), "x.model")->encode(text, ids);
  return ids;
}

TEST(SentencepieceModel, ExtraBlanksAreRemoved) {
  EXPECT_EQ(encode(pieces(), "  a  ba "), (Ids{2, 5, 4, 3}));
  EXPECT_EQ(encode(pieces(), "a<s>"), (Ids{2, 0}));
  EXPECT_EQ(encode(pieces(), ""), Ids{});
}

TEST(SentencepieceModel, BlanksStay) {
  const std::string model = pieces() + bytes(3, whole(4, 0));
  EXPECT_EQ(encode(model, "a  b"), (Ids{2, 5, 5, 4}));
  EXPECT_EQ(encode(pieces() + bytes(3, whole(3, 0) + whole(4, 0)), "a b"), (Ids{3, 5, 4}));
}

TEST(SentencepieceModel, BpeMergesTheBestPiecesFirst) {
  const std::string model = pieces() + bytes(2, whole(3, 2));
  EXPECT_EQ(encode(model, "ab b"), (Ids{2, 4, 5, 4}));  // "\u2581a" before "ab"
  EXPECT_EQ(encode(model, "bab"), (Ids{5, 4, 6}));
}

TEST(SentencepieceModel, UserDefinedPiecesAlwaysMatch) {
  EXPECT_EQ(encode(pieces() + piece("ba", 0, kUser), "abab"), (Ids{2, 7, 4}));
}

TEST(SentencepieceModel, TheCharsmapIsApplied) {
  const std::string map = made_up_charsmap({{"A", "a"}, {"\t", " "}});
  EXPECT_EQ(encode(pieces() + bytes(3, bytes(2, map)), "A\tA"), (Ids{2, 2}));
  EXPECT_THAT(refusal(pieces() + bytes(3, bytes(2, map.substr(0, 99)))), HasSubstr("charsmap"));
}

TEST(SentencepieceModel, NamesWhatItRefuses) {
  EXPECT_THAT(refusal(""), HasSubstr("no pieces"));
  EXPECT_THAT(refusal(piece("a", 0, kNormal)), HasSubstr("no unknown piece"));
  EXPECT_THAT(refusal(pieces() + piece("a", 0, kNormal)),
              HasSubstr("pieces 3 and 7 are both \"a\""));
  EXPECT_THAT(refusal(pieces() + piece("u", 0, kUnknown)), HasSubstr("both unknown pieces"));
  EXPECT_THAT(refusal(pieces() + piece("c", 0, kUnused)), HasSubstr("the unused piece 7 \"c\""));
  EXPECT_THAT(refusal(pieces() + piece("c", 0, 9)), HasSubstr("piece 7: type 9"));
  EXPECT_THAT(refusal(pieces() + piece("", 0, kNormal)), HasSubstr("its text is empty"));
  EXPECT_THAT(refusal(pieces() + piece("\xFF", 0, kNormal)), HasSubstr("not valid UTF-8"));
  EXPECT_THAT(refusal(pieces() + piece("c", std::bit_cast<float>(0x7F800000), kByte)),
              HasSubstr("expected a finite number"));
  EXPECT_THAT(refusal(pieces() + bytes(2, whole(3, 4))), HasSubstr("model_type 4 (char)"));
  EXPECT_THAT(refusal(pieces() + bytes(2, whole(24, 1))), HasSubstr("treat_whitespace_as_suffix"));
  EXPECT_THAT(refusal(pieces() + bytes(3, whole(5, 0))), HasSubstr("escape_whitespaces"));
  EXPECT_THAT(refusal(pieces() + bytes(3, whole(9, 0))), HasSubstr("normalizer_spec field 9"));
  EXPECT_THAT(refusal(pieces() + bytes(3, bytes(3, "a"))), HasSubstr("add_dummy_prefix"));
  EXPECT_THAT(refusal(pieces() + bytes(5, bytes(2, "a"))), HasSubstr("denormalizer_spec"));
  EXPECT_THAT(refusal(pieces() + bytes(200, "")), HasSubstr("field 200"));
  EXPECT_THAT(refusal(pieces() + bytes(3, whole(3, 0))), HasSubstr("without add_dummy_prefix"));
  EXPECT_THAT(refusal(pieces() + piece("a\u2581b", 0, kNormal)), HasSubstr("blank inside"));
}

TEST(SentencepieceModel, TruncationsAndMutationsAreRefusedOrRead) {
  const std::string good = pieces() + piece("<0x41>", 0, kByte) + piece("ba", 0, kUser) +
                           bytes(2, whole(3, 2) + whole(35, 1)) +
                           bytes(3, bytes(2, made_up_charsmap({{"A", "a"}})) + whole(4, 0));
  ASSERT_EQ(refusal(good), "nothing thrown");
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string bad = good;
    const std::size_t front = 200;  // the charsmap behind it is mostly empty
    for (auto left = 1 + random() % 3; left > 0; --left) {
      bad[random() % (random() % 4 == 0 ? bad.size() : front)] = static_cast<char>(random() % 256);
    }
    if (random() % 4 == 0) bad.resize(random() % bad.size());
    refusal(bad);  // expects kBadData, if anything
  }
}

TEST(SentencepieceModel, IsToldFromJson) {
  EXPECT_TRUE(looks_like_sentencepiece(pieces()));
  EXPECT_FALSE(looks_like_sentencepiece("{}"));
  EXPECT_FALSE(looks_like_sentencepiece("\n {\n}"));
}

}  // namespace
}  // namespace pretrain
