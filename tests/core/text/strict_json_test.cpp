#include "core/text/strict_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/base/error.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string message(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "no error";
}

std::string check(const std::string& text) {
  return message([&] { check_json(text, 1000, "x.json"); });
}

TEST(StrictJson, AcceptsWhatTheStandardAllows) {
  for (const char* text : {"{}", "[]", "3", "null", " {\"a\": [1, {\"a\": -1.5e3}], \"b\": {}} ",
                           "[{\"a\":1},{\"a\":2}]", "\"\\u00e4\\ud83d\\ude00\""}) {
    EXPECT_EQ(check(text), "no error") << text;
  }
  EXPECT_EQ(check(std::string(64, '[') + std::string(64, ']')), "no error");
}

TEST(StrictJson, RefusesTheRest) {
  EXPECT_THAT(check("{\"a\":1,\"a\":2}"), HasSubstr("key \"a\" is given twice"));
  EXPECT_THAT(check("{\"x\":{\"a\":1,\"b\":0,\"a\":2}}"), HasSubstr("key \"a\" is given twice"));
  EXPECT_THAT(check(std::string(65, '[') + std::string(65, ']')), HasSubstr("deeper than 64"));
  EXPECT_THAT(check(std::string(900, '[')), HasSubstr("deeper than 64"));
  EXPECT_THAT(check(std::string(1001, ' ')), HasSubstr("1001 bytes"));
  for (const char* text : {"", "{", "{\"a\":}", "[1,]", "01", "1e999", "nan", "{} x", "\"\xff\"",
                           "\"\\ud800\"", "\"a\nb\"", "{'a':1}"}) {
    EXPECT_THAT(check(text), StartsWith("x.json: not valid JSON at byte")) << text;
  }
}

TEST(StrictJson, ReadsOneStringOfTheOutermostObject) {
  const auto read = [](const std::string& text) {
    return read_json_string(text, 1000, "text", "f.jsonl:7");
  };
  EXPECT_EQ(read("{\"id\":1,\"meta\":{\"text\":\"no\"},\"text\":\"a\\nb\\u0000\"}"),
            std::string("a\nb\0", 4));
  EXPECT_EQ(read("{\"text\":\"\"}"), "");
  EXPECT_THAT(message([&] { read("{\"body\":\"x\",\"meta\":{\"text\":\"no\"}}"); }),
              StartsWith("f.jsonl:7: no field \"text\", fields here: body, meta."));
  EXPECT_THAT(message([&] { read("{\"text\":5}"); }), HasSubstr("field \"text\" is no string"));
  EXPECT_THAT(message([&] { read("{\"text\":[\"a\"]}"); }), HasSubstr("is no string"));
  EXPECT_THAT(message([&] { read("[\"text\"]"); }), HasSubstr("expected a JSON object"));
  EXPECT_THAT(message([&] { read("{\"text\":\"a\",\"text\":\"b\"}"); }), HasSubstr("twice"));
}

}  // namespace
}  // namespace pretrain
