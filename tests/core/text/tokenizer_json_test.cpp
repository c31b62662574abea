#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_json.h"
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

// Whoever reads the file gets encoders' marks around a text; encode adds none.
TEST(TokenizerJson, SaysThatTextsOfEncodersStandBetweenMarks) {
  std::vector<std::unique_ptr<Tokenizer>> tokenizers;
  tokenizers.push_back(make_byte_tokenizer({"[PAD]", "[CLS]", "[SEP]"}));
  tokenizers.push_back(make_char_tokenizer({'a', 'b'}, true, {"[SEP]", "[CLS]"}));
  for (const auto& tokenizer : tokenizers) {
    const Json json = Json::parse(tokenizer->to_json());
    const Json& single = json["post_processor"]["single"];
    EXPECT_EQ(single[0]["SpecialToken"]["id"], "[CLS]");
    EXPECT_EQ(single[1]["Sequence"]["id"], "A");
    EXPECT_EQ(single[2]["SpecialToken"]["id"], "[SEP]");
    for (const char* mark : {"[CLS]", "[SEP]"}) {
      EXPECT_EQ(json["post_processor"]["special_tokens"][mark]["ids"][0], *tokenizer->id_of(mark));
    }
    std::vector<std::uint32_t> ids;
    tokenizer->encode("ab", ids);
    EXPECT_EQ(ids.size(), 2U);

    // Files from before have none, and corpora know them by their digest.
    Json before = json;
    before["post_processor"] = nullptr;
    const auto read = tokenizer_from_json(before.dump(), "before.json");
    EXPECT_TRUE(Json::parse(read->to_json())["post_processor"].is_null());
    EXPECT_NE(read->sha256(), tokenizer->sha256());
    nlohmann::json identity;  // its keys are sorted
    for (const char* part :
         {"model", "normalizer", "pre_tokenizer", "post_processor", "added_tokens"}) {
      identity[part] = nlohmann::json::parse(before[part].dump());
    }
    EXPECT_EQ(read->sha256(), sha256_hex(identity.dump()));
    std::vector<std::uint32_t> same;
    read->encode("ab", same);
    EXPECT_EQ(same, ids);
    EXPECT_EQ(read->special_ids(), tokenizer->special_ids());
    EXPECT_EQ(read->eos_id(), tokenizer->eos_id());
    EXPECT_EQ(read->decode(ids), "ab");
  }
  for (const auto& json :
       {make_byte_tokenizer()->to_json(), make_byte_tokenizer({"[PAD]", "[SEP]"})->to_json()}) {
    EXPECT_TRUE(Json::parse(json)["post_processor"].is_null());
  }
}

TEST(ReadPlainBpe, TakesOnlyWhatTheTwoTokenizersWrite) {
  const Json byte = Json::parse(make_byte_tokenizer({"[PAD]"})->to_json());
  const Json chars = Json::parse(make_char_tokenizer({'a', 'b'}, true)->to_json());
  const auto is_plain = [](Json json, const std::function<void(Json&)>& edit) {
    edit(json);
    return read_plain_bpe(parse_json(json.dump(), "t.json")) != nullptr;
  };
  EXPECT_TRUE(is_plain(byte, [](Json&) {}));
  EXPECT_TRUE(is_plain(chars, [](Json&) {}));
  EXPECT_TRUE(is_plain(chars, [](Json& j) { j.erase("version"); }));
  EXPECT_TRUE(is_plain(chars, [](Json& j) { j["model"].erase("type"); }));
  const std::vector<std::function<void(Json&)>> edits = {
      [](Json& j) {
        j["model"]["merges"].push_back({"a", "b"});
      },
      [](Json& j) { j["model"]["vocab"]["ab"] = j["model"]["vocab"].size(); },
      [](Json& j) { j["model"]["unk_token"] = "a"; },
      [](Json& j) {
        j["normalizer"] = {{"type", "NFC"}};
      },
      [](Json& j) { j["decoder"] = nullptr; },
      [](Json& j) { j["added_tokens"][0]["special"] = false; },
      [](Json& j) { j["added_tokens"][0]["lstrip"] = true; },
      [](Json& j) { j["added_tokens"][0]["content"] = "a"; },
      [](Json& j) { j["added_tokens"][0].erase("content"); },
      [](Json& j) { j["added_tokens"] = 5; },
      [](Json& j) { j["other"] = 5; },
      [](Json& j) { j.erase("model"); },
  };
  for (std::size_t i = 0; i < edits.size(); ++i) {
    EXPECT_FALSE(is_plain(byte, edits[i])) << i;
    EXPECT_FALSE(is_plain(chars, edits[i])) << i;
  }
}

TEST(ByteSymbols, AreThoseOfGpt2) {
  EXPECT_EQ(byte_symbol('!'), "!");
  EXPECT_EQ(byte_symbol(' '), "\u0120");
  EXPECT_EQ(byte_symbol(0xAD), "\u0143");
  const std::vector<std::string> symbols = byte_symbols();
  EXPECT_EQ(std::set<std::string>(symbols.begin(), symbols.end()).size(), 256u);
}

}  // namespace
}  // namespace pretrain
