#include "core/text/opening_token.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/core/text/training/trained.h"

namespace pretrain {
namespace {

using Json = nlohmann::ordered_json;

// The file of a word tokenizer with special tokens.
std::string file() {
  return testing::trained("a a b b", {.kind = "word", .specials = {"<s>", "[CLS]", "</s>"}})
      ->to_json();
}

std::int64_t opening_of(const Json& post_processor) {
  Json json = Json::parse(file());
  json["post_processor"] = post_processor;
  return opening_token(*tokenizer_from_json(json.dump(), "made.json"));
}

std::int64_t id_of(const char* token) {
  return *tokenizer_from_json(file(), "made.json")->id_of(token);
}

Json template_of(const char* token) {
  const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const Json other = {{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  const Json special = {{"SpecialToken", {{"id", token}, {"type_id", 0}}}};
  const Json entry = {{"id", token}, {"ids", {id_of(token)}}, {"tokens", {token}}};
  return {{"type", "TemplateProcessing"},
          {"single", {special, text}},
          {"pair", {special, text, special, other}},
          {"special_tokens", {{token, entry}}}};
}

TEST(OpeningToken, IsThatOfTheTemplate) {
  const Json opens = template_of("<s>");
  EXPECT_EQ(opening_of(opens), id_of("<s>"));
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", true},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  EXPECT_EQ(opening_of({{"type", "Sequence"}, {"processors", {byte_level, opens}}}), id_of("<s>"));
  EXPECT_EQ(opening_of({{"type", "RobertaProcessing"},
                        {"sep", {"</s>", id_of("</s>")}},
                        {"cls", {"<s>", id_of("<s>")}},
                        {"trim_offsets", true},
                        {"add_prefix_space", true}}),
            id_of("<s>"));
}

TEST(OpeningToken, IsMissingWhereTextsBeginBare) {
  EXPECT_EQ(opening_of(nullptr), -1);  // though there is a <s>
  EXPECT_EQ(opening_of(template_of("[CLS]")), -1);
  Json closes = template_of("<s>");
  std::swap(closes["single"][0], closes["single"][1]);
  EXPECT_EQ(opening_of(closes), -1);
  EXPECT_EQ(opening_token(*make_byte_tokenizer()), -1);
}

}  // namespace
}  // namespace pretrain
