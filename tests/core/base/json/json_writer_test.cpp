#include "core/base/json/json_writer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/random.h"

namespace pretrain {
namespace {

TEST(JsonObjectTest, KeepsOrderAndTypes) {
  JsonObject inner;
  inner.add("x", 1);
  JsonObject object;
  object.add("b", true).add("a", 3).add("s", "q\"\n").add("n", nullptr).add("d", 0.1);
  object.add("o", inner).add("m", std::map<std::string, double>{{"k", 2.5}});
  object.add("e", nullable(std::optional<double>())).add("f", nullable(std::optional<int>(7)));
  EXPECT_EQ(object.text(),
            R"({"b": true, "a": 3, "s": "q\"\n", "n": null, "d": 0.1, "o": {"x": 1}, )"
            R"("m": {"k": 2.5}, "e": null, "f": 7})");
  EXPECT_EQ(JsonObject().text(), "{}");
}

TEST(JsonObjectTest, NumbersThatJsonLacksAreStrings) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(json_number(std::nan("")), "\"nan\"");
  EXPECT_EQ(json_number(-std::nan("")), "\"nan\"");
  EXPECT_EQ(json_number(inf), "\"inf\"");
  EXPECT_EQ(json_number(-inf), "\"-inf\"");
}

TEST(JsonObjectTest, EveryDoubleReadsBackTheSame) {
  RandomStream random(2, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 20000; ++trial) {
    const double value = std::bit_cast<double>(random.next_u64());
    if (!std::isfinite(value)) continue;
    const auto read = nlohmann::json::parse(json_number(value)).get<double>();
    EXPECT_EQ(std::bit_cast<std::uint64_t>(read), std::bit_cast<std::uint64_t>(value));
  }
  EXPECT_EQ(json_number(0.1), "0.1");
  EXPECT_EQ(json_number(1e22), "1e+22");
}

TEST(JsonObjectTest, AnyBytesBecomeAValidString) {
  RandomStream random(3, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 2000; ++trial) {
    std::string bytes(random.below(10), '\0');
    for (char& c : bytes) c = static_cast<char>(random.below(256));
    const std::string text = JsonObject().add(bytes, bytes).text();
    EXPECT_TRUE(nlohmann::json::accept(text)) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace pretrain
