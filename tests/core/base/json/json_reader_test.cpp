#include "core/base/json/json_reader.h"

#include <cmath>
#include <limits>

#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using testing::expect_error;

TEST(Json, KeepsTheKindOfEveryValue) {
  const JsonValue value = parse_json(
      R"({"a": [0, 18446744073709551615, -5, 1.5, 1e2], "b": "\u00e9", "c": null, "d": true})",
      "f");
  const JsonReader json(value, "f");
  const auto items = json.at("a").items();
  EXPECT_EQ(items[0].whole(), 0u);
  EXPECT_EQ(items[1].whole(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(items[2].number(), -5.0);
  EXPECT_EQ(items[3].number(), 1.5);
  EXPECT_EQ(items[4].number(), 100.0);
  EXPECT_EQ(json.at("b").text(), "\xc3\xa9");
  EXPECT_TRUE(json.at("c").is_null());
  EXPECT_FALSE(json.has("e"));
}

TEST(Json, WrongTypesNameFileAndKey) {
  const JsonValue value = parse_json(R"({"a": {"n": -1, "f": 1.5, "t": "x", "l": [1, "y"]}})", "f");
  const JsonReader a = JsonReader(value, "f").at("a");
  expect_error(ExitCode::kBadData, "f: a: n: expected a whole number", [&] { a.at("n").whole(); });
  EXPECT_EQ(a.at("n").integer(), -1);
  EXPECT_EQ(a.at("l").items()[0].integer(), 1);
  expect_error(ExitCode::kBadData, "f: a: f: expected a whole number",
               [&] { a.at("f").integer(); });
  const JsonValue large = parse_json("9223372036854775808", "f");
  expect_error(ExitCode::kBadData, "below 2^63", [&] { JsonReader(large, "f").integer(); });
  expect_error(ExitCode::kBadData, "f: a: f: expected a whole number", [&] { a.at("f").whole(); });
  expect_error(ExitCode::kBadData, "f: a: t: expected a number", [&] { a.at("t").number(); });
  expect_error(ExitCode::kBadData, "f: a: n: expected a text", [&] { a.at("n").text(); });
  expect_error(ExitCode::kBadData, "f: a: l[1]: expected", [&] { a.at("l").items()[1].whole(); });
  expect_error(ExitCode::kBadData, "f: a: z is missing", [&] { a.at("z"); });
  expect_error(ExitCode::kBadData, "f: a: t: expected an object", [&] { a.at("t").members(); });
}

TEST(Json, RefusesWhatIsNotStrict) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not valid JSON at byte 1: found the end, expected more"},
      {"[1", "not valid JSON at byte 3: found the end, expected more"},
      {"{} {}", "not valid JSON at byte 4: found {"},
      {"{'a': 1}", "not valid JSON at byte 2: found '"},
      {"[1,]", "not valid JSON at byte 4: found ]"},
      {"[01]", "not valid JSON at byte 3: found 1"},
      {"[nan]", "found nan, expected a finite number, a text, true, false or null"},
      {"{\"a\": NaN}", "not valid JSON at byte 7: found NaN, expected a finite number, a text"},
      {"[Infinity, 1]", "found Infinity, expected a finite number"},
      {"[-Infinity]", "found -Infinity, expected a finite number"},
      {"[1e999]", "found the number 1e999, expected at most 1.8e308 in size"},
      {"[1, -2.5e+400]", "found the number -2.5e+400, expected at most 1.8e308 in size"},
      {R"(["a\ud800b"])", "found \\ud800 alone, half of a surrogate pair, expected both halves"},
      {R"(["a\uDC00"])", "found \\uDC00 alone, half of a surrogate pair, expected both halves"},
      {R"(["\ud800\u0041"])", "alone, half of a surrogate pair"},
      {"// c\n1", "not valid JSON at byte 1: found /"},
      {"\"\xff\"", "not valid JSON at byte 2: found \\xff"},
      {"\"\xc0\xaf\"", "not valid JSON"},
      {"\xEF\xBB\xBF{}", "BOM"},
      {R"({"a": 1, "b": 2, "a": 1})", "key \"a\" is given twice"},
      {R"({"x": {"a": 1, "\u0061": 2}})", "key \"a\" is given twice"},
      {R"({"\u001b": 1, "\u001b": 2})", "key \"\\x1b\" is given twice"},
  };
  for (const auto& [text, part] : cases) {
    expect_error(ExitCode::kBadData, part, [&] { parse_json(text, "f"); });
  }
}

TEST(Json, ChecksWithoutReading) {
  EXPECT_NO_THROW(check_json(R"([{"a": 1}, {"a": 2}])", "f"));
  expect_error(ExitCode::kBadData, "f: is not valid JSON at byte 4",
               [] { check_json("[1,]", "f"); });
}

TEST(Json, KeepsItsLimits) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(parse_json(nested(64), "f"));
  expect_error(ExitCode::kBadData, "f: is nested deeper than 64",
               [&] { parse_json(nested(65), "f"); });
  expect_error(ExitCode::kBadData, "deeper", [&] { parse_json(std::string(1000000, '['), "f"); });
  JsonLimits limits;
  limits.max_values = 3;
  EXPECT_NO_THROW(parse_json("[1,2]", "f", limits));
  expect_error(ExitCode::kBadData, "more than 3 values",
               [&] { parse_json("[1,2,3]", "f", limits); });
  limits.max_bytes = 4;
  expect_error(ExitCode::kBadData, "5 bytes", [&] { parse_json("[1,2]", "f", limits); });
}

TEST(Json, NonFiniteNumbersHaveNames) {
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    const JsonValue json = parse_json('"' + std::string(non_finite_name(value)) + '"', "f");
    const double read = JsonReader(json, "f").number();
    EXPECT_TRUE(std::isnan(value) ? std::isnan(read) : read == value);
  }
  EXPECT_EQ(non_finite_name(1.0), nullptr);
}

}  // namespace
}  // namespace pretrain
