#include "core/text/training/tokenizer_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text/tokenizer.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using testing::expect_error;

const std::vector<std::string> kDocuments{
    "In the beginning God created the heaven and the earth.\nAnd the earth was without form, and "
    "void; and darkness was upon the face of the deep.",
    "And the Spirit of God moved upon the face of the waters. And God said, Let there be light: "
    "and there was light.",
    "D\u00e9j\u00e0 vu: na\u00efve caf\u00e9s, \u4f60\u597d 123 and THE THE the",
};

TrainedTokenizer train(const TrainingOptions& options,
                       const std::vector<std::string>& documents = kDocuments) {
  std::size_t at = 0;
  return train_tokenizer(options, [&](std::string& document) {
    if (at == documents.size()) return false;
    document = documents[at++];
    return true;
  });
}

std::unique_ptr<Tokenizer> read(const TrainedTokenizer& trained) {
  return tokenizer_from_json(trained.json, "trained.json");
}

// Room for the alphabet and some tokens.
std::size_t small_size(const std::string& kind) {
  if (kind == "bpe") return 300;
  return kind == "unigram" ? 80 : 150;
}

TEST(TokenizerTrainer, EachKindIsReadBackAndDoesNotDependOnThreads) {
  for (const TrainableKind& kind : trainable_kinds()) {
    TrainingOptions options{.kind = kind.name, .vocab_size = small_size(kind.name), .min_count = 1};
    options.specials = {"[MASK]", "<|fim_middle|>"};
    const TrainedTokenizer trained = train(options);
    const auto tokenizer = read(trained);
    EXPECT_EQ(tokenizer->vocab_size(), trained.vocab_size) << kind.name;
    EXPECT_LE(trained.vocab_size, static_cast<std::int64_t>(options.vocab_size)) << kind.name;
    EXPECT_TRUE(tokenizer->id_of("<|fim_middle|>").has_value()) << kind.name;
    EXPECT_TRUE(tokenizer->id_of("[MASK]").has_value()) << kind.name;
    std::vector<std::uint32_t> ids;
    tokenizer->encode("the earth and the heaven", ids);
    EXPECT_FALSE(ids.empty());
    EXPECT_EQ(tokenizer->decode(ids), "the earth and the heaven") << kind.name;
    options.threads = 3;
    EXPECT_EQ(train(options).json, trained.json) << kind.name;
  }
}

TEST(TokenizerTrainer, TextsOfEncodersStandBetweenMarks) {
  for (const TrainableKind& kind : trainable_kinds()) {
    TrainingOptions options{.kind = kind.name, .vocab_size = small_size(kind.name), .min_count = 1};
    options.specials = {"[PAD]", "[CLS]", "[SEP]", "[MASK]"};
    const auto tokenizer = read(train(options));
    const auto json = nlohmann::json::parse(tokenizer->to_json());
    const auto& single = json["post_processor"]["single"];
    ASSERT_EQ(single.size(), 3U) << kind.name;
    EXPECT_EQ(single[0]["SpecialToken"]["id"], "[CLS]") << kind.name;
    EXPECT_EQ(single[2]["SpecialToken"]["id"], "[SEP]") << kind.name;
    std::vector<std::uint32_t> ids;
    tokenizer->encode("the earth", ids);
    const auto specials = tokenizer->special_ids();
    for (const std::uint32_t id : ids) {
      EXPECT_FALSE(std::binary_search(specials.begin(), specials.end(), id)) << kind.name;
    }
  }
}

TEST(TokenizerTrainer, BytesAreLossless) {
  for (const char* split : {"gpt2", "cl100k", "o200k", "llama3", "none"}) {
    const auto tokenizer = read(train({.vocab_size = 300, .split = split}));
    EXPECT_EQ(tokenizer->vocab_size(), 300);
    EXPECT_EQ(tokenizer->eos_id(), 299);
    for (std::string text : kDocuments) {
      text += std::string("\0 \xff\xc3(", 5);
      std::vector<std::uint32_t> ids;
      tokenizer->encode(text, ids);
      EXPECT_LT(ids.size(), text.size());
      EXPECT_EQ(tokenizer->decode(ids), text) << split;
    }
  }
}

TEST(TokenizerTrainer, LowercaseIsPartOfTheTokenizer) {
  for (const char* kind : {"bpe", "classic_bpe", "wordpiece", "unigram", "word"}) {
    const auto tokenizer = read(
        train({.kind = kind, .vocab_size = small_size(kind), .min_count = 1, .lowercase = true}));
    std::vector<std::uint32_t> upper, lower;
    tokenizer->encode("THE God and The earth", upper);
    tokenizer->encode("the god and the earth", lower);
    EXPECT_EQ(upper, lower) << kind;
  }
}

TEST(TokenizerTrainer, KindsHaveTheTokensTheirModelsNeed) {
  const auto word_piece = read(train({.kind = "wordpiece", .vocab_size = 150, .min_count = 1}));
  std::uint32_t next = 0;
  for (const char* text : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    EXPECT_EQ(word_piece->id_of(text), next++) << text;
  }
  const auto unigram =
      read(train({.kind = "unigram", .vocab_size = 200, .specials = {"<extra_id_0>"}}));
  EXPECT_EQ(unigram->id_of("<pad>"), 0U);
  EXPECT_EQ(unigram->id_of("</s>"), 1U);
  EXPECT_EQ(unigram->id_of("<extra_id_0>"), unigram->vocab_size() - 1);
}

TEST(TokenizerTrainer, ByteFallbackExpressesUnseenCharacters) {
  const auto tokenizer = read(train({.kind = "unigram", .vocab_size = 400, .byte_fallback = true}));
  std::vector<std::uint32_t> ids;
  tokenizer->encode("the \u0416", ids);
  EXPECT_EQ(tokenizer->decode(ids), "the \u0416");
}

TEST(TokenizerTrainer, RareWordsAreUnknown) {
  const auto tokenizer = read(train({.kind = "word", .min_count = 3}));
  std::vector<std::uint32_t> ids;
  tokenizer->encode("the beginning", ids);
  ASSERT_EQ(ids.size(), 2U);
  EXPECT_NE(ids[0], 0U);
  EXPECT_EQ(ids[1], 0U);  // <unk>
}

TEST(TokenizerTrainer, RefusesWhatCannotBe) {
  const auto refused = [](const TrainingOptions& options, ExitCode code, const std::string& part,
                          const std::vector<std::string>& documents = kDocuments) {
    expect_error(code, part, [&] { train(options, documents); });
  };
  refused({.kind = "wordpeace"}, ExitCode::kUsage, "Did you mean wordpiece?");
  refused({.kind = "zzzzzz"}, ExitCode::kUsage, "Known: bpe");
  refused({.split = "gpt3"}, ExitCode::kUsage, "Did you mean gpt2?");
  refused({.kind = "word", .split = "cl100k"}, ExitCode::kUsage, "--split is for bpe");
  refused({.kind = "char", .lowercase = true}, ExitCode::kUsage, "--lowercase");
  refused({.vocab_size = 256}, ExitCode::kUsage, "Raise --vocab by 1");
  refused({.vocab_size = 1}, ExitCode::kUsage, "no room");
  refused({.kind = "wordpiece", .vocab_size = 10}, ExitCode::kUsage, "--alphabet");
  refused({.kind = "unigram", .vocab_size = 10}, ExitCode::kUsage, "--alphabet");
  refused({.kind = "char", .vocab_size = 10}, ExitCode::kUsage, "characters");
  refused({}, ExitCode::kBadData, "nothing can be learned", {});
  refused({}, ExitCode::kBadData, "nothing can be learned", {"", ""});
  refused({.kind = "word"}, ExitCode::kBadData, "nothing can be learned", {" \n\t "});
  refused({.specials = {"<a>", "<a>"}}, ExitCode::kUsage, "given twice");
  refused({.specials = {""}}, ExitCode::kUsage, "empty");
  refused({.specials = {"\xff"}}, ExitCode::kUsage, "UTF-8");
  refused({.vocab_size = 300, .specials = {"a"}}, ExitCode::kUsage, "ordinary token");
}

}  // namespace
}  // namespace pretrain
