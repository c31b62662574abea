#include "core/text/special_vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/base/error.h"
#include "core/text/tokenizer.h"

namespace pretrain {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Ids = std::vector<std::uint32_t>;
using Strings = std::vector<std::string>;

std::string message(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what();
  }
  return "no error";
}

TEST(SpecialVocabulary, FollowTheBytes) {
  const auto tokenizer = make_byte_tokenizer({"[PAD]", "<é>", "[MASK]"});
  EXPECT_EQ(tokenizer->vocab_size(), 260);
  EXPECT_EQ(tokenizer->eos_id(), 256);
  EXPECT_EQ(tokenizer->special_ids(), (Ids{256, 257, 258, 259}));
  EXPECT_EQ(tokenizer->id_of(kEndOfText), 256u);
  EXPECT_EQ(tokenizer->id_of("[PAD]"), 257u);
  EXPECT_EQ(tokenizer->id_of("<é>"), 258u);
  EXPECT_EQ(tokenizer->id_of("[MASK]"), 259u);
  for (const char* other : {"", "a", "[pad]", "[PAD] ", "[MASK", "Ġ"}) {
    EXPECT_EQ(tokenizer->id_of(other), std::nullopt) << other;
  }
}

TEST(SpecialVocabulary, FollowTheCharacters) {
  const auto with_eos = make_char_tokenizer({'a', 'b'}, true, {"<s>", "c"});
  EXPECT_EQ(with_eos->vocab_size(), 5);
  EXPECT_EQ(with_eos->eos_id(), 2);
  EXPECT_EQ(with_eos->special_ids(), (Ids{2, 3, 4}));
  EXPECT_EQ(with_eos->id_of("c"), 4u);
  EXPECT_EQ(with_eos->id_of("a"), std::nullopt);
  const auto without = make_char_tokenizer({'a', 'b'}, false, {"<s>", "c"});
  EXPECT_EQ(without->vocab_size(), 4);
  EXPECT_EQ(without->eos_id(), -1);
  EXPECT_EQ(without->special_ids(), (Ids{2, 3}));
  EXPECT_EQ(without->id_of(kEndOfText), std::nullopt);
  EXPECT_EQ(make_char_tokenizer({'a'}, false)->special_ids(), Ids{});
}

TEST(SpecialVocabulary, AreNeitherReadNorWritten) {
  const std::string text = "a[PAD]b<|endoftext|>";
  std::vector<std::uint32_t> code_points(text.begin(), text.end());
  std::vector<std::unique_ptr<Tokenizer>> tokenizers;
  tokenizers.push_back(make_byte_tokenizer({"[PAD]", "[MASK]"}));
  tokenizers.push_back(make_char_tokenizer(code_points, true, {"[PAD]", "[MASK]"}));
  for (const auto& tokenizer : tokenizers) {
    Ids ids;
    tokenizer->encode(text, ids);
    EXPECT_EQ(ids.size(), text.size());
    for (const std::uint32_t special : tokenizer->special_ids()) {
      EXPECT_EQ(std::count(ids.begin(), ids.end(), special), 0);
      ids.insert(ids.begin() + 3, special);
    }
    EXPECT_EQ(tokenizer->decode(ids), text);
    const auto above = static_cast<std::uint32_t>(tokenizer->vocab_size());
    EXPECT_THROW(tokenizer->decode({above}), Error);
  }
}

TEST(SpecialVocabulary, KeepTheIdentityOfTokenizersWithoutThem) {
  // Recorded in corpora that exist.
  EXPECT_EQ(make_byte_tokenizer()->sha256(),
            "57d256d3bb5a82e379e63f5ce3fe93ab4bd51f9367d900c468fced9eb146f919");
  EXPECT_NE(make_byte_tokenizer({"[PAD]"})->sha256(), make_byte_tokenizer()->sha256());
  EXPECT_NE(make_byte_tokenizer({"[A]", "[B]"})->sha256(),
            make_byte_tokenizer({"[B]", "[A]"})->sha256());
}

TEST(SpecialVocabulary, RefusesTextsThatMislead) {
  const auto byte = [](Strings specials) {
    return message([&] { make_byte_tokenizer(specials); });
  };
  EXPECT_THAT(byte({"[A]", "[B]", "[A]"}), HasSubstr("special token [A]: is given twice"));
  EXPECT_THAT(byte({"[A]", ""}), HasSubstr("special token 2 of 2: is empty"));
  EXPECT_THAT(byte({"[\xff]"}), HasSubstr("special token 1 of 1: byte 1 is not valid UTF-8"));
  EXPECT_THAT(byte({kEndOfText}), HasSubstr("special token <|endoftext|>: closes documents"));
  for (const char* symbol : {"a", "<", "é", "Ġ"}) {
    EXPECT_THAT(byte({symbol}), AllOf(StartsWith(concat("special token ", symbol, ": ")),
                                      HasSubstr("ordinary symbol")));
  }
  EXPECT_EQ(byte({"中", " "}), "no error");
  const auto chars = [](Strings specials) {
    return message([&] { make_char_tokenizer({'a', 0x4E2D}, false, specials); });
  };
  EXPECT_THAT(chars({"中"}), HasSubstr("special token 中: is an ordinary symbol"));
  EXPECT_THAT(chars({kEndOfText}), HasSubstr("closes documents"));
  EXPECT_THAT(chars({"b", "b"}), HasSubstr("special token b: is given twice"));
  EXPECT_EQ(chars({"b", "aa", "a中"}), "no error");
}

TEST(ParseSpecialTokens, ReadsTextsRangesAndWords) {
  EXPECT_THAT(parse_special_tokens("[X]"), ElementsAre("[X]"));
  EXPECT_THAT(parse_special_tokens("<a b>,[X],[X]"), ElementsAre("<a b>", "[X]", "[X]"));
  EXPECT_THAT(parse_special_tokens("<x_8..11>,y"),
              ElementsAre("<x_8>", "<x_9>", "<x_10>", "<x_11>", "y"));
  EXPECT_THAT(parse_special_tokens("<7..7>,0..1"), ElementsAre("<7>", "0", "1"));
  EXPECT_THAT(parse_special_tokens("<18446744073709551615..18446744073709551615>"),
              ElementsAre("<18446744073709551615>"));
  EXPECT_THAT(parse_special_tokens("<..>,..,1..,..1,a..b,<1.2>,..."),
              ElementsAre("<..>", "..", "1..", "..1", "a..b", "<1.2>", "..."));
  EXPECT_THAT(parse_special_tokens("bert"), ElementsAre("[PAD]", "[CLS]", "[SEP]", "[MASK]"));
  EXPECT_THAT(parse_special_tokens("<s>,fim,berta"),
              ElementsAre("<s>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "berta"));
  const Strings t5 = parse_special_tokens("t5");
  ASSERT_EQ(t5.size(), 102u);
  EXPECT_EQ(t5[0], "<pad>");
  EXPECT_EQ(t5[1], "</s>");
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(t5[2 + i], concat("<extra_id_", i, ">"));
  EXPECT_EQ(parse_special_tokens("<1..10000>").size(), kMaxSpecialTokens);
}

TEST(ParseSpecialTokens, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "--special: token 1 is empty"},
      {"[A],", "--special: token 2 is empty"},
      {",[A]", "--special: token 1 is empty"},
      {"[A],,[B]", "--special: token 2 is empty"},
      {"[A], [B]", "--special: token 2 \" [B]\" has a blank at its edge"},
      {"[A]\t", "--special: token 1 \"[A]\t\" has a blank at its edge"},
      {"<3..1>", "--special: <3..1>: expected a range that rises, got 3 to 1. Write 1..3"},
      {"<00..10>", "--special: <00..10>: expected numbers like <extra_id_0..99>, got 00"},
      {"<0..18446744073709551616>", "got 18446744073709551616"},
      {"<0..1_0..1>", "--special: <0..1_0..1>: expected one range"},
      {"<0..1..2>", "--special: <0..1..2>: expected one range"},
      {"<0..10000>", "--special: more than 10000 tokens"},
      {"<0..18446744073709551615>", "--special: more than 10000 tokens"},
  };
  for (const auto& [list, named] : cases) {
    EXPECT_THAT(message([&] { parse_special_tokens(list); }), HasSubstr(named)) << list;
  }
}

}  // namespace
}  // namespace pretrain
