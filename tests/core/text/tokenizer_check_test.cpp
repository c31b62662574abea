#include "core/text/tokenizer_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/text/training/trained.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;

TEST(TokenizerCheck, DescribesATokenizer) {
  const auto tokenizer = make_byte_tokenizer({"[PAD]", "[MASK]"});
  const TokenizerReport report = check_tokenizer(*tokenizer);
  EXPECT_EQ(report.model, "BPE");
  EXPECT_EQ(report.parts.at(0), std::make_pair(std::string("normalizer"), std::string("none")));
  EXPECT_EQ(report.parts.at(1).second, "ByteLevel");
  EXPECT_EQ(report.vocab_size, 259);
  ASSERT_EQ(report.specials.size(), 3U);
  EXPECT_EQ(report.specials[1], std::make_pair(257U, std::string("[PAD]")));
  EXPECT_EQ(report.roles.mask, 258);
  EXPECT_EQ(report.sha256, tokenizer->sha256());
  EXPECT_EQ(report.returned, report.texts);
  EXPECT_EQ(report.refused, 0U);
  EXPECT_TRUE(report.problems.empty());
  EXPECT_TRUE(is_lossless(*tokenizer));
}

TEST(TokenizerCheck, CountsTextsThatCannotBeExpressed) {
  const TokenizerReport report = check_tokenizer(*make_char_tokenizer({' '}, true));
  EXPECT_EQ(report.returned, 2U);  // the empty text and the blank
  EXPECT_EQ(report.refused, report.texts - 2);
  EXPECT_TRUE(is_lossless(*make_char_tokenizer({' '}, true)));  // it refuses what it would change
  EXPECT_TRUE(report.problems.empty());
}

TEST(TokenizerCheck, UnknownTokensAreCountedAndNoFault) {
  const auto tokenizer = testing::trained("in the beginning god created the heaven and the earth",
                                          {.kind = "wordpiece", .vocab_size = 60});
  const TokenizerReport report = check_tokenizer(*tokenizer);
  EXPECT_FALSE(is_lossless(*tokenizer));
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  EXPECT_GT(report.unknown, 0U);
  EXPECT_GT(report.tokens, report.unknown);
}

// A byte tokenizer that breaks one promise.
class Broken : public Tokenizer {
 public:
  explicit Broken(std::string fault) : fault_(std::move(fault)) {}
  std::int64_t vocab_size() const override { return fault_ == "range" ? 100 : 257; }
  std::int64_t eos_id() const override { return 256; }
  std::optional<std::uint32_t> id_of(std::string_view text) const override {
    return bytes_->id_of(text);
  }
  std::vector<std::uint32_t> special_ids() const override { return bytes_->special_ids(); }
  void encode(std::string_view text, std::vector<std::uint32_t>& ids) const override {
    bytes_->encode(text, ids);
    if (fault_ == "special" && !ids.empty()) ids.back() = 256;
    if (fault_ == "reading" && !ids.empty()) ids.back() ^= 1;
  }
  void encode_with_spans(std::string_view text, std::vector<std::uint32_t>& ids,
                         std::vector<TextSpan>& spans) const override {
    bytes_->encode_with_spans(text, ids, spans);
    encode_last(ids);
    if (fault_ == "span" && !spans.empty()) spans.back().end = text.size() + 1;
    if (fault_ == "order" && spans.size() > 1) std::swap(spans.front(), spans.back());
  }
  std::string decode(const std::vector<std::uint32_t>& ids) const override {
    return bytes_->decode(ids);
  }
  std::string to_json() const override { return bytes_->to_json(); }

 private:
  void encode_last(std::vector<std::uint32_t>& ids) const {
    if (fault_ == "other ids" && !ids.empty()) ids.back() = 0;
    if (fault_ == "reading" && !ids.empty()) ids.back() ^= 1;
  }
  std::string fault_;
  std::unique_ptr<Tokenizer> bytes_ = make_byte_tokenizer();
};

TEST(TokenizerCheck, FindsBrokenPromises) {
  const std::pair<const char*, const char*> cases[] = {
      {"range", "gives id"},       {"special", "gives the special token 256"},
      {"other ids", "with spans"}, {"span", "stands for bytes"},
      {"order", "stands for"},     {"reading", "when the file it writes is read"}};
  EXPECT_TRUE(check_tokenizer(Broken("")).problems.empty());
  for (const auto& [fault, message] : cases) {
    const TokenizerReport report = check_tokenizer(Broken(fault));
    ASSERT_FALSE(report.problems.empty()) << fault;
    EXPECT_THAT(report.problems.front(), HasSubstr(message));
  }
}

}  // namespace
}  // namespace pretrain
