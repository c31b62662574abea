#include "core/text/format/vocab_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/text/tokenizer.h"

namespace pretrain {
namespace {

using testing::HasSubstr;
using Ids = std::vector<std::uint32_t>;

Ids encode(const std::string& vocab, bool lowercase, const std::string& text) {
  Ids ids;
  tokenizer_from_json(vocab_text_tokenizer_json(vocab, lowercase, "vocab.txt"), "vocab.txt")
      ->encode(text, ids);
  return ids;
}

std::string refusal(const std::string& vocab) {
  try {
    vocab_text_tokenizer_json(vocab, true, "vocab.txt");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "nothing thrown";
}

TEST(VocabText, CasedAndUncased) {
  const std::string vocab = "[PAD]\n[UNK]\r\n[CLS]\n[SEP]\n[MASK]\nAb\nab\n##e\n!\n";
  EXPECT_EQ(encode(vocab, true, "Ab\u00E9 abe!"), (Ids{6, 7, 6, 7, 8}));
  EXPECT_EQ(encode(vocab, false, "Abe \u00E9!"), (Ids{5, 7, 1, 8}));
  EXPECT_EQ(encode(vocab, true, "[MASK]"), (Ids{1, 1, 1}));  // text is never a special token
}

TEST(VocabText, NamesTheLine) {
  EXPECT_THAT(refusal("[UNK]\n\na\n"), HasSubstr("vocab.txt:2: the line is empty"));
  EXPECT_THAT(refusal("[UNK]\na\nb\na\n"), HasSubstr("vocab.txt:4: \"a\" stands in line 2"));
  EXPECT_THAT(refusal("[UNK]\n\xFF\n"), HasSubstr("vocab.txt:2: the line is not valid UTF-8"));
  EXPECT_THAT(refusal("a\nb"), HasSubstr("no line [UNK]"));
  EXPECT_THAT(refusal(""), HasSubstr("no line [UNK]"));
}

TEST(VocabText, LowerCaseOfTheConfig) {
  EXPECT_TRUE(config_lower_case("{}", "c.json"));
  EXPECT_TRUE(config_lower_case(R"({"do_lower_case": true})", "c.json"));
  EXPECT_FALSE(config_lower_case(R"({"do_lower_case": false})", "c.json"));
  EXPECT_THROW(config_lower_case(R"({"do_lower_case": 1})", "c.json"), Error);
}

}  // namespace
}  // namespace pretrain
