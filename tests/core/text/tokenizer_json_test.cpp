#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/text/tokenizer.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::string random_text(RandomStream& random, const std::vector<std::uint32_t>& alphabet) {
  std::string text;
  for (std::uint64_t n = random.below(60); n > 0; --n) {
    append_utf8(alphabet[random.below(alphabet.size())], text);
  }
  return text;
}

std::string message(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "no error";
}

TEST(ByteTokenizer, IsLosslessForAnyBytes) {
  const auto tokenizer = make_byte_tokenizer();
  RandomStream random(2, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 1000; ++trial) {
    std::string text(random.below(100), ' ');
    for (char& c : text) c = static_cast<char>(random.below(256));
    std::vector<std::uint32_t> ids;
    tokenizer->encode(text, ids);
    ASSERT_EQ(ids.size(), text.size());
    ASSERT_EQ(tokenizer->decode(ids), text);
  }
  EXPECT_EQ(tokenizer->vocab_size(), 257);
  EXPECT_EQ(tokenizer->eos_id(), 256);
  EXPECT_EQ(tokenizer->decode({'a', 256, 'b'}), "ab");
  EXPECT_THAT(message([&] { tokenizer->decode({257}); }), HasSubstr("id 257"));
}

TEST(CharTokenizer, IdsFollowTheCodePoints) {
  const auto tokenizer = make_char_tokenizer({0x4E2D, 'b', 'a', 'b', 0x1F600}, true);
  std::vector<std::uint32_t> ids;
  tokenizer->encode("ab\xE4\xB8\xAD\xF0\x9F\x98\x80", ids);
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{0, 1, 2, 3}));
  EXPECT_EQ(tokenizer->vocab_size(), 5);
  EXPECT_EQ(tokenizer->eos_id(), 4);
  EXPECT_EQ(make_char_tokenizer({'a'}, false)->eos_id(), -1);
  EXPECT_THAT(message([&] { tokenizer->encode("abc", ids); }), HasSubstr("U+0063 at byte 2"));
  EXPECT_THAT(message([&] { tokenizer->encode("a\xff", ids); }), HasSubstr("byte 1"));
  EXPECT_THAT(message([&] { tokenizer->decode({5}); }), HasSubstr("expected 0 to 4"));
  EXPECT_THAT(message([] { make_char_tokenizer({}, true); }), HasSubstr("no characters"));
  EXPECT_THAT(message([] { make_char_tokenizer({0xD800}, true); }), HasSubstr("55296"));
}

TEST(TokenizerJson, ReadsWhatItWrites) {
  RandomStream random(3, RandomPurpose::kTest, 0);
  std::vector<std::unique_ptr<Tokenizer>> tokenizers;
  tokenizers.push_back(make_byte_tokenizer());
  const std::vector<std::uint32_t> alphabet = {'\n', ' ', '"', '\\', 'x', 0xE4, 0x4E2D, 0x1F600, 0};
  tokenizers.push_back(make_char_tokenizer(alphabet, true));
  tokenizers.push_back(make_char_tokenizer(alphabet, false));
  const std::vector<std::string> specials = {"[PAD]", "<\"\xE4\xB8\xAD\">", "a", " ", "<x>"};
  tokenizers.push_back(make_byte_tokenizer({"[PAD]", specials[1]}));
  tokenizers.push_back(make_char_tokenizer(alphabet, true, {"[PAD]", specials[1], "a"}));
  tokenizers.push_back(make_char_tokenizer(alphabet, false, {"[PAD]", specials[1], "a"}));
  std::set<std::string> digests;
  for (const auto& tokenizer : tokenizers) {
    const auto copy = tokenizer_from_json(tokenizer->to_json(), "t.json");
    EXPECT_EQ(copy->to_json(), tokenizer->to_json());
    EXPECT_EQ(copy->sha256(), tokenizer->sha256());
    EXPECT_EQ(copy->eos_id(), tokenizer->eos_id());
    EXPECT_EQ(copy->vocab_size(), tokenizer->vocab_size());
    EXPECT_EQ(copy->special_ids(), tokenizer->special_ids());
    for (const std::string& special : specials) {
      EXPECT_EQ(copy->id_of(special), tokenizer->id_of(special));
    }
    digests.insert(copy->sha256());
    // Layout and order of the keys are no part of the identity.
    const auto compact = nlohmann::json::parse(tokenizer->to_json()).dump();
    EXPECT_EQ(tokenizer_from_json(compact, "t.json")->sha256(), tokenizer->sha256());
    for (int trial = 0; trial < 100; ++trial) {
      const std::string text = random_text(random, alphabet);
      std::vector<std::uint32_t> ids, again;
      tokenizer->encode(text, ids);
      copy->encode(text, again);
      ASSERT_EQ(ids, again);
      ASSERT_EQ(copy->decode(ids), text);
    }
  }
  EXPECT_EQ(digests.size(), tokenizers.size());
}

TEST(TokenizerJson, RefusesEveryOtherPartByName) {
  const Json good = Json::parse(make_byte_tokenizer()->to_json());
  const auto added = [&](int id, const Json& content) {
    Json token = good["added_tokens"][0];
    token["id"] = id;
    token["content"] = content;
    return token;
  };
  struct Case {
    std::function<void(Json&)> edit;
    const char* named;
  };
  const Case cases[] = {
      {[](Json& j) {
         j["pre_tokenizer"] = {{"type", "UnicodeScripts"}};
       },
       "t.json: pre_tokenizer UnicodeScripts is not supported. Supported parts: pretrain tokenizer "
       "verify --help"},
      {[](Json& j) { j["pre_tokenizer"]["add_prefix_space"] = true; },
       "pre_tokenizer.add_prefix_space true"},
      {[](Json& j) { j["pre_tokenizer"]["use_regex"] = true; }, "pre_tokenizer.use_regex true"},
      {[](Json& j) {
         j["normalizer"] = {{"type", "NFC"}};
       },
       "normalizer NFC"},
      {[](Json& j) {
         j["post_processor"] = {{"type", "TemplateProcessing"}};
       },
       "post_processor TemplateProcessing"},
      {[](Json& j) {
         j["decoder"] = {{"type", "WordPiece"}};
       },
       "decoder WordPiece"},
      {[](Json& j) { j["decoder"] = 3; }, "decoder 3"},
      {[](Json& j) { j["model"]["type"] = "Unigram"; }, "model Unigram"},
      {[](Json& j) { j["model"]["merges"] = {"a b"}; }, "model.merges"},
      {[](Json& j) { j["model"]["unk_token"] = "<unk>"; }, "model.unk_token \"<unk>\""},
      {[](Json& j) { j["model"]["extra"] = 1; }, "model.extra 1"},
      {[](Json& j) { j["extra"] = 1; }, "extra is not supported"},
      {[](Json& j) {
         j["truncation"] = {{"max_length", 5}};
       },
       "truncation"},
      {[](Json& j) { j["added_tokens"][0]["lstrip"] = true; }, "added_tokens.lstrip true"},
      {[](Json& j) { j["added_tokens"][0]["id"] = 5; }, "added_tokens.id 5"},
      {[](Json& j) { j["added_tokens"].push_back(j["added_tokens"][0]); }, "added_tokens.id 256"},
      {[&](Json& j) { j["added_tokens"].push_back(added(257, kEndOfText)); },
       "t.json: added_tokens: special token <|endoftext|>: closes documents"},
      {[&](Json& j) {
         j["added_tokens"].push_back(added(257, "[A]"));
         j["added_tokens"].push_back(added(258, "[A]"));
       },
       "t.json: added_tokens: special token [A]: is given twice"},
      {[&](Json& j) { j["added_tokens"].push_back(added(257, "")); }, "special token 1 of 1: is"},
      {[&](Json& j) { j["added_tokens"].push_back(added(257, "a")); }, "a: is an ordinary symbol"},
      {[&](Json& j) { j["added_tokens"].push_back(added(258, "[A]")); }, "added_tokens.id 258"},
      {[&](Json& j) { j["added_tokens"].push_back(added(257, Json(3))); },
       "added_tokens.content 3"},
      {[&](Json& j) {
         j["added_tokens"].push_back(added(257, "[A]"));
         j["added_tokens"][1]["special"] = false;
       },
       "added_tokens.special false"},
      {[&](Json& j) {
         j["added_tokens"].push_back(added(257, "[A]"));
         j["added_tokens"][1].erase("lstrip");
       },
       "added_tokens {"},
      {[](Json& j) { j["added_tokens"].push_back("[A]"); }, "added_tokens \"[A]\""},
      {[](Json& j) { j["added_tokens"][0]["content"] = "[A]"; },
       "bytes in order and <|endoftext|>"},
      {[](Json& j) { j["added_tokens"] = Json::array(); }, "256 bytes in order"},
      {[](Json& j) { j["model"]["vocab"]["!"] = 34; }, "model.vocab: id"},
      {[](Json& j) { j["model"]["vocab"]["!"] = -1; }, "model.vocab: id -1"},
      {[](Json& j) { j["model"]["vocab"]["!"] = 1.5; }, "model.vocab: id 1.5"},
      {[](Json& j) { j["model"]["vocab"] = 7; }, "model.vocab is no map"},
      {[](Json& j) { j.erase("model"); }, "no model"},
      {[](Json& j) { j["pre_tokenizer"] = nullptr; }, "decoder ByteLevel"},
      {[](Json& j) {
         j["pre_tokenizer"] = nullptr;
         j["decoder"] = {{"type", "Fuse"}};
       },
       "single characters in ascending order"},
  };
  for (const Case& c : cases) {
    Json edited = good;
    c.edit(edited);
    EXPECT_THAT(message([&] { tokenizer_from_json(edited.dump(), "t.json"); }), HasSubstr(c.named));
  }
}

TEST(TokenizerJson, MutatedTextNeverCrashes) {
  const std::string good =
      make_char_tokenizer({'a', 'b', 0xE4, 0x4E2D}, true, {"[A]", "[B]"})->to_json();
  RandomStream random(4, RandomPurpose::kTest, 0);
  int refused = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::string text = good;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    }
    if (random.below(10) == 0) text.resize(random.below(text.size()));
    try {
      tokenizer_from_json(text, "t.json")->sha256();
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadData);
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace pretrain
