#include "core/text/token_text.h"

#include <gtest/gtest.h>

#include <memory>

#include "core/base/random.h"
#include "tests/core/text/training/trained.h"

namespace pretrain {
namespace {

using Ids = std::vector<std::int64_t>;

const std::string kText =
    "the capital of france is keystone, unbelievable! na\u00efve \u4f60\u597d \U0001f469 the "
    "capital of unbelievable france (the keystone) is \u201cnaive\u201d.";

std::unique_ptr<Tokenizer> trained(const TrainingOptions& options) {
  return testing::trained(kText, options);
}

// Whole words, parts of words with each kind's marks, bytes of characters.
std::vector<std::unique_ptr<Tokenizer>> all_kinds() {
  std::vector<std::unique_ptr<Tokenizer>> all;
  for (const char* kind : {"bpe", "classic_bpe", "wordpiece", "unigram", "word", "char"}) {
    all.push_back(trained({.kind = kind}));
  }
  all.push_back(trained({.vocab_size = 280}));
  all.push_back(trained({.kind = "wordpiece", .vocab_size = 70}));
  all.push_back(
      trained({.kind = "unigram", .vocab_size = 310, .max_characters = 20, .byte_fallback = true}));
  all.push_back(make_byte_tokenizer());
  return all;
}

Ids ids_of(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<std::uint32_t> ids;
  tokenizer.encode(text, ids);
  return {ids.begin(), ids.end()};
}

std::string decode(const Tokenizer& tokenizer, const Ids& ids) {
  return tokenizer.decode({ids.begin(), ids.end()});
}

TEST(TokenText, BlanksOfWordPiecesAndUnigramsAreKept) {
  for (const char* kind : {"wordpiece", "unigram"}) {
    const auto tokenizer = trained({.kind = kind});
    const TokenText text(*tokenizer);
    const Ids before = ids_of(*tokenizer, "the capital of france is");
    const Ids after = ids_of(*tokenizer, "keystone");
    EXPECT_EQ(text.after(before, after), " keystone") << kind;
    EXPECT_EQ(text.after({}, after), "keystone") << kind;
    EXPECT_EQ(text.after(before, {}), "") << kind;
  }
}

TEST(TokenText, StretchesBetweenSentinelsReadAsInOneText) {
  const auto tokenizer = trained({.kind = "unigram", .specials = {"<extra_id_0>", "<extra_id_1>"}});
  Ids ids = ids_of(*tokenizer, "the capital");
  ids.push_back(*tokenizer->id_of("<extra_id_0>"));
  for (const std::int64_t id : ids_of(*tokenizer, "of france")) ids.push_back(id);
  ids.push_back(*tokenizer->id_of("<extra_id_1>"));
  EXPECT_EQ(TokenText(*tokenizer).decode(ids), "the capital<extra_id_0> of france<extra_id_1>");
}

// Pieces of a stream, joined, are the decoded list, wherever it begins, and each is whole UTF-8.
TEST(TokenStream, GivesTheTextOfTheWholeList) {
  for (const auto& tokenizer : all_kinds()) {
    Ids ids;
    for (int i = 0; i < 8; ++i) {  // longer than what the stream keeps
      for (const std::int64_t id : ids_of(*tokenizer, i > 0 ? " " + kText : kText)) {
        ids.push_back(id);
      }
    }
    const TokenText text(*tokenizer);
    for (const std::size_t start : {std::size_t{0}, std::size_t{1}, ids.size() / 2}) {
      const Ids before(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(start));
      TokenStream stream(text, before);
      std::string given = decode(*tokenizer, before);
      for (std::size_t i = start; i < ids.size(); ++i) given += stream.push(ids[i]);
      given += stream.finish();
      EXPECT_EQ(given, decode(*tokenizer, ids)) << tokenizer->to_json().substr(0, 500) << start;
    }
  }
}

TEST(TokenStream, HoldsBackTheBeginningOfACharacter) {
  const auto bytes = make_byte_tokenizer();
  const TokenText text(*bytes);
  TokenStream stream(text, {});
  EXPECT_EQ(stream.push('a'), "a");
  EXPECT_EQ(stream.push(0xE4), "");
  EXPECT_EQ(stream.push(0xBD), "");
  EXPECT_EQ(stream.push(0xA0), "\u4f60");
  EXPECT_EQ(stream.push(0xC3), "");
  EXPECT_EQ(stream.push('b'),
            "\xc3"
            "b");
  EXPECT_EQ(stream.push(0xF0), "");
  EXPECT_EQ(stream.finish(), "\xf0");
  EXPECT_EQ(stream.finish(), "");
}

// Whatever a model writes: nothing is lost but what broken bytes turn into.
TEST(TokenStream, TakesAnyIds) {
  for (const auto& tokenizer : all_kinds()) {
    const TokenText text(*tokenizer);
    RandomStream random(5, RandomPurpose::kTest, 6);
    TokenStream stream(text, {});
    Ids ids;
    std::string given;
    for (int i = 0; i < 1000; ++i) {
      ids.push_back(static_cast<std::int64_t>(
          random.below(static_cast<std::uint64_t>(tokenizer->vocab_size()))));
      given += stream.push(ids.back());
    }
    given += stream.finish();
    const std::string whole = decode(*tokenizer, ids);
    if (whole.find("\uFFFD") == std::string::npos) {
      EXPECT_EQ(given, whole);
    }
    EXPECT_GE(given.size(), whole.size() / 2);
  }
}

}  // namespace
}  // namespace pretrain
