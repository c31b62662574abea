// tokenizer_from_json: what each part does is compared with `tokenizers` in
// tests/parity/tokenizer_pipeline_test.py; here the wiring, the refusals and hostile files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/text/token_roles.h"
#include "core/text/tokenizer.h"
#include "tests/testing/fuzz.h"

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;
using Ids = std::vector<std::uint32_t>;

Json special(int id, const char* content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

Json bert() {
  return {{"added_tokens", {special(0, "[UNK]"), special(1, "[SEP]"), special(2, "[CLS]")}},
          {"normalizer", {{"type", "BertNormalizer"}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor",
           {{"type", "BertProcessing"}, {"sep", {"[SEP]", 1}}, {"cls", {"[CLS]", 2}}}},
          {"decoder", {{"type", "WordPiece"}}},
          {"model",
           {{"type", "WordPiece"},
            {"vocab",
             {{"[UNK]", 0}, {"[SEP]", 1}, {"[CLS]", 2}, {"play", 3}, {"##ing", 4}, {",", 5}}}}}};
}

Json byte_level() {
  Json vocab = Json::object();
  const Json symbols = Json::parse(make_byte_tokenizer()->to_json())["model"]["vocab"];
  for (const auto& [text, id] : symbols.items()) vocab[text] = id;
  vocab["th"] = 256;
  vocab["the"] = 257;
  vocab["\u0120the"] = 258;
  return {{"added_tokens", {special(259, "<|endoftext|>")}},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model",
           {{"type", "BPE"},
            {"vocab", vocab},
            {"merges", Json::parse(R"([["t","h"],["th","e"],["\u0120","the"]])")}}}};
}

Json unigram() {
  return {{"added_tokens", {special(0, "<pad>"), special(1, "</s>"), special(2, "<unk>")}},
          {"pre_tokenizer", {{"type", "Metaspace"}}},
          {"decoder", {{"type", "Metaspace"}}},
          {"model",
           {{"type", "Unigram"},
            {"unk_id", 2},
            {"vocab", Json::parse(R"([["<pad>",0],["</s>",0.0],["<unk>",0.0],["\u2581a",-1.5],
                                     ["b",-2],["<",-3],["/",-3],["s",-3],[">",-3],
                                     ["\u2581",-2.5]])")}}}};
}

Json words() {
  return {{"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
          {"model",
           {{"type", "WordLevel"},
            {"vocab", {{"<unk>", 0}, {"a", 1}, {"b", 2}}},
            {"unk_token", "<unk>"}}}};
}

std::unique_ptr<Tokenizer> read(const Json& json) {
  return tokenizer_from_json(json.dump(), "t.json");
}

Ids encode(const Tokenizer& tokenizer, std::string_view text) {
  Ids ids, again;
  std::vector<TextSpan> spans;
  tokenizer.encode(text, ids);
  tokenizer.encode_with_spans(text, again, spans);
  EXPECT_EQ(ids, again) << text;
  EXPECT_EQ(ids.size(), spans.size());
  return ids;
}

std::string message(const Json& json) {
  try {
    read(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "no error";
}

TEST(TokenizerReader, ReadsWhatItWrites) {
  for (const Json& json : {bert(), byte_level(), unigram(), words()}) {
    const auto tokenizer = read(json);
    const auto copy = tokenizer_from_json(tokenizer->to_json(), "copy");
    EXPECT_EQ(copy->to_json(), tokenizer->to_json());
    EXPECT_EQ(copy->sha256(), tokenizer->sha256());
    EXPECT_EQ(copy->special_ids(), tokenizer->special_ids());
    EXPECT_EQ(copy->vocab_size(), tokenizer->vocab_size());
  }
}

TEST(TokenizerReader, WordPieceWithSpecialTokens) {
  const auto tokenizer = read(bert());
  EXPECT_THAT(encode(*tokenizer, "Playing, x"), ElementsAre(3, 4, 5, 0));
  EXPECT_EQ(tokenizer->decode({2, 3, 4, 5, 1}), "playing,");
  EXPECT_EQ(tokenizer->eos_id(), 1);
  EXPECT_EQ(tokenizer->unk_id(), 0);
  EXPECT_EQ(tokenizer->vocab_size(), 6);
  EXPECT_THAT(tokenizer->special_ids(), ElementsAre(0, 1, 2));
  EXPECT_EQ(token_roles(*tokenizer).cls, 2);
  EXPECT_EQ(tokenizer->id_of("play"), std::nullopt);
}

TEST(TokenizerReader, TextNeverBecomesASpecialToken) {
  EXPECT_THAT(encode(*read(unigram()), "</s>a"), ElementsAre(9, 5, 6, 7, 8, 2));
  Json json = words();
  json["added_tokens"] = {special(1, "a")};
  EXPECT_THAT(encode(*read(json), "a b"), ElementsAre(0, 2));
  EXPECT_THAT(encode(*read(byte_level()), "<|endoftext|>"), ::testing::SizeIs(13));
}

TEST(TokenizerReader, ByteLevelIsLosslessForAnyBytes) {
  Json prefixed = byte_level();
  prefixed["pre_tokenizer"]["add_prefix_space"] = true;
  Json normalized = byte_level();
  normalized["normalizer"] = {{"type", "NFC"}};
  const auto tokenizer = read(byte_level());
  EXPECT_THAT(encode(*tokenizer, "the the"), ElementsAre(257, 258));
  EXPECT_THAT(encode(*read(prefixed), "the the"), ElementsAre(258, 258));
  RandomStream random(7, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 300; ++trial) {
    std::string text(random.below(40), ' ');
    for (char& c : text) c = static_cast<char>(random.below(256));
    EXPECT_EQ(tokenizer->decode(encode(*tokenizer, text)), text);
    encode(*read(prefixed), text);
  }
  const std::string bad =
      "e\xCC\x81\xff"
      "the\xE2\x82";
  EXPECT_EQ(read(normalized)->decode(encode(*read(normalized), bad)),
            "\xC3\xA9\xff"
            "the\xE2\x82");
}

TEST(TokenizerReader, IllFormedTextBecomesReplacementCharacters) {
  Json json = words();
  json["model"]["vocab"]["\uFFFD\uFFFD"] = 3;
  json["model"]["vocab"]["\uFFFD"] = 4;
  EXPECT_THAT(encode(*read(json), "\xE2\x82\xff \xF0\x9F\x98 a"), ElementsAre(3, 4, 1));
}

TEST(TokenizerReader, SpansAreThoseOfTheSource) {
  Ids ids;
  std::vector<TextSpan> spans;
  read(bert())->encode_with_spans("  PLAYING \xFF,", ids, spans);
  EXPECT_THAT(ids, ElementsAre(3, 4, 5));
  EXPECT_THAT(spans, ElementsAre(TextSpan{2, 6}, TextSpan{6, 9}, TextSpan{11, 12}));
}

TEST(TokenizerReader, AddedTokensThatAreNotSpecial) {
  Json json = words();
  Json token = special(3, "[x]");
  token["special"] = false;
  json["added_tokens"] = {token};
  EXPECT_THAT(encode(*read(json), "a[x] b"), ElementsAre(1, 3, 2));
  json["added_tokens"][0]["single_word"] = true;
  EXPECT_THAT(encode(*read(json), "a[x] [x]"), ElementsAre(0, 3));
  json["added_tokens"][0]["lstrip"] = true;
  json["added_tokens"][0]["rstrip"] = true;
  Ids ids;
  std::vector<TextSpan> spans;
  read(json)->encode_with_spans("a  [x] b", ids, spans);
  EXPECT_THAT(spans, ElementsAre(TextSpan{0, 1}, TextSpan{1, 7}, TextSpan{7, 8}));
  EXPECT_EQ(read(json)->decode({1, 3}), "a [x]");
  EXPECT_THAT(read(json)->special_ids(), ElementsAre(0));
}

TEST(TokenizerReader, ModelsWithoutTypeWhereThatIsUnambiguous) {
  for (Json json : {bert(), byte_level(), unigram(), words()}) {
    const std::string whole = read(json)->to_json();
    if (json["model"]["type"] == "WordPiece") json["model"]["max_input_chars_per_word"] = 100;
    json["model"].erase("type");
    EXPECT_EQ(Json::parse(read(json)->to_json()), Json::parse(whole));
  }
  Json json = words();
  json["model"] = {{"vocab", {{"a", 0}}}};
  EXPECT_THAT(message(json), HasSubstr("model.type is missing"));
}

// They say how rows are cut and filled, which encode does not do.
TEST(TokenizerReader, TruncationAndPaddingChangeNothing) {
  Json json = bert();
  const auto plain = tokenizer_from_json(json.dump(), "plain.json");
  json["truncation"] = {{"max_length", 1}, {"strategy", "LongestFirst"}, {"stride", 0}};
  json["padding"] = {{"strategy", {{"Fixed", 9}}}, {"pad_id", 1}, {"pad_token", "[SEP]"}};
  const auto with_both = tokenizer_from_json(json.dump(), "both.json");
  EXPECT_EQ(with_both->sha256(), plain->sha256());
  EXPECT_EQ(with_both->to_json(), plain->to_json());
  Ids ids;
  with_both->encode("playing, play", ids);
  EXPECT_THAT(ids, ElementsAre(3U, 4U, 5U, 3U));
}

TEST(TokenizerReader, RefusesEveryOtherPartByName) {
  const Json good = bert();
  EXPECT_EQ(message(good), "no error");
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
      {[](Json& j) {
         j["normalizer"] = {{"type", "Nmt"}};
       },
       "normalizer Nmt is not"},
      {[](Json& j) {
         j["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "X"}}}}};
       },
       "normalizer X is not"},
      {[](Json& j) {
         j["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "?"}};
       },
       "no base64"},
      {[](Json& j) { j["post_processor"]["type"] = "Y"; }, "post_processor Y is not"},
      {[](Json& j) {
         j["post_processor"]["sep"] = {"[SEP]", 2};
       },
       "id 2 of \"[SEP]\", expected 1"},
      {[](Json& j) {
         j["post_processor"]["sep"] = {"[S]", 2};
       },
       "\"[S]\" is no token"},
      {[](Json& j) { j["decoder"]["type"] = "CTC"; }, "decoder CTC is not"},
      {[](Json& j) { j["decoder"] = 3; }, "decoder 3 is not"},
      {[](Json& j) {
         j["decoder"] = {{"type", "Strip"}, {"content", "ab"}, {"start", 1}, {"stop", 0}};
       },
       "decoder.content: is \"ab\", expected one character"},
      {[](Json& j) { j["model"]["type"] = "Other"; }, "model Other is not"},
      {[](Json& j) { j["model"]["extra"] = 1; }, "model.extra 1 is not"},
      {[](Json& j) { j["extra"] = 1; }, "extra 1 is not"},
      {[](Json& j) { j["normalizer"]["lowercase"] = 1; }, "normalizer.lowercase: is 1, expected"},
      {[](Json& j) { j["pre_tokenizer"]["x"] = nullptr; }, "pre_tokenizer.x null is not"},
      {[](Json& j) { j["added_tokens"][0]["id"] = 5; },
       "added_tokens.id 5 of \"[UNK]\", expected 0"},
      {[](Json& j) { j["added_tokens"].push_back(special(7, "[A]")); },
       "id 7 of \"[A]\", expected 6"},
      {[](Json& j) { j["added_tokens"].push_back(special(1, "[SEP]")); }, "is given twice"},
      {[](Json& j) { j["added_tokens"][0]["content"] = ""; }, "is empty"},
      {[](Json& j) { j["added_tokens"][0].erase("lstrip"); }, "added_tokens.lstrip: is missing"},
      {[](Json& j) { j["added_tokens"][0]["id"] = 1e30; }, "added_tokens.id: is 1e+30"},
      {[](Json& j) { j["added_tokens"] = 5; }, "added_tokens 5 is not"},
      {[](Json& j) { j["model"]["vocab"]["play"] = 5; }, "model.vocab: id 5"},
      {[](Json& j) { j["model"]["vocab"]["play"] = 9; }, "expected each of 0 to 5 once"},
      {[](Json& j) { j["model"]["vocab"]["play"] = -1; }, "model.vocab: id -1"},
      {[](Json& j) { j["model"]["vocab"]["play"] = 1.5; }, "model.vocab: id 1.5"},
      {[](Json& j) { j["model"]["vocab"] = 7; }, "model.vocab is no map"},
      {[](Json& j) {
         j["model"]["vocab"] = Json::object();
         j["added_tokens"] = Json::array();
         j["post_processor"] = nullptr;
       },
       "t.json"},
      {[](Json& j) { j.erase("model"); }, "no model"},
      {[](Json& j) {
         j["pre_tokenizer"] = {{"type", "Split"},
                               {"pattern", {{"Regex", "(a|b)+c"}}},
                               {"behavior", "Isolated"},
                               {"invert", false}};
       },
       "pre_tokenizer.pattern {"},
      {[](Json& j) {
         j["normalizer"] = {
             {"type", "Replace"}, {"pattern", {{"Regex", "\\s{2,}"}}}, {"content", " "}};
       },
       "normalizer.pattern {"},
      {[](Json& j) {
         j["normalizer"] = {
             {"type", "Replace"}, {"pattern", {{"Regex", " {2,3}"}}}, {"content", " "}};
       },
       "normalizer.pattern {"},
      {[](Json& j) {
         j["normalizer"] = {
             {"type", "Replace"}, {"pattern", {{"Regex", " {2000000000,}"}}}, {"content", " "}};
       },
       "normalizer.pattern {"},
      {[](Json& j) {
         j["pre_tokenizer"] = {
             {"type", "Split"}, {"pattern", {{"String", "a"}}}, {"behavior", "Both"}};
       },
       "pre_tokenizer.behavior: is \"Both\", expected one of"},
  };
  for (const Case& c : cases) {
    Json edited = good;
    c.edit(edited);
    EXPECT_THAT(message(edited), HasSubstr(c.named));
  }
}

TEST(TokenizerReader, RefusesModelsThatDoNotFit) {
  Json bpe = byte_level();
  bpe["model"]["merges"].push_back(Json::array({"x", "y"}));
  EXPECT_THAT(message(bpe), HasSubstr("t.json"));
  bpe["model"]["merges"] = Json::parse(R"([["t","h","e"]])");
  EXPECT_THAT(message(bpe), HasSubstr("model.merges: item 0 is"));
  bpe["model"]["merges"] = Json::array({"t h e"});
  EXPECT_THAT(message(bpe), HasSubstr("model.merges: item 0 is"));
  bpe = byte_level();
  bpe["model"]["dropout"] = 0.1;
  EXPECT_THAT(message(bpe), HasSubstr("model.dropout 0.1 is not"));
  Json pieces = unigram();
  pieces["model"]["unk_id"] = 10;
  EXPECT_THAT(message(pieces), HasSubstr("model.unk_id: is 10, expected a number below 10"));
  pieces = unigram();
  pieces["model"]["vocab"][3][1] = "x";
  EXPECT_THAT(message(pieces), HasSubstr("score \"x\" of id 3"));
}

TEST(TokenizerReaderFuzz, FilesAreRefusedOrReadTheSameAgain) {
  std::vector<std::string> seeds;
  for (const Json& json : {bert(), unigram(), words(), byte_level()}) {
    seeds.push_back(json.dump());
    seeds.push_back(read(json)->to_json());
  }
  const auto accepted =
      testing::fuzz({.seeds = seeds,
                     .dictionary = {"0", "1", "-", ".5", "e9", "{", "}", "[", "]", "\"", ",", ":",
                                    "true", "null", "\\u0000"},
                     .trials = 4000},
                    [](const std::string& text) {
                      const auto tokenizer = tokenizer_from_json(text, "t.json");
                      const std::string again = tokenizer->to_json();
                      ASSERT_EQ(tokenizer_from_json(again, "again")->to_json(), again) << text;
                      Ids ids;
                      tokenizer->encode("Playing the a\xff, [UNK] </s> x", ids);
                      for (const std::uint32_t id : ids)
                        ASSERT_LT(id, tokenizer->vocab_size()) << text;
                      tokenizer->decode(ids);
                    });
  EXPECT_GT(accepted, 50u);
}

}  // namespace
}  // namespace pretrain
