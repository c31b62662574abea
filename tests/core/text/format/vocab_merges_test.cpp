#include "core/text/format/vocab_merges.h"

#include <gtest/gtest.h>

#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using testing::expect_error;

TEST(VocabMerges, ReadsTokensByIdMergesAndSpecials) {
  const ByteLevelParts parts = read_vocab_and_merges(R"({"b": 1, "a": 0, "<s>": 3, "ab": 2})", "v",
                                                     "#version: 0.2\na b\r\n\n", "m");
  EXPECT_EQ(parts.vocabulary, (std::vector<std::string>{"a", "b", "ab", "<s>"}));
  ASSERT_EQ(parts.merges.size(), 1u);
  EXPECT_EQ(parts.merges[0].left, "a");
  EXPECT_EQ(parts.merges[0].right, "b");
  ASSERT_EQ(parts.specials.size(), 1u);
  EXPECT_EQ(parts.specials[0].first, "<s>");
  EXPECT_EQ(parts.specials[0].second, 3u);
}

TEST(VocabMerges, WhatIsBrokenIsNamed) {
  const auto fails = [](const char* vocab, const char* merges, const char* message) {
    expect_error(ExitCode::kBadData, message,
                 [&] { read_vocab_and_merges(vocab, "v.json", merges, "m.txt"); });
  };
  fails("[", "", "v.json");
  fails("[1]", "", "v.json");
  fails(R"({"a": 0, "a": 1})", "", "v.json");
  fails(R"({"a": -1})", "", "v.json: a");
  fails(R"({"a": 0, "b": 2})", "", "v.json: \"b\" has id 2, expected each of 0 to 1 once");
  fails(R"({"a": 0, "b": 0})", "", "v.json: \"b\" has id 0, expected each of 0 to 1 once");
  for (const char* bad : {"ab", "a b c", " a b", "a ", "a  b"}) {
    fails(R"({"a": 0})", ("a b\n" + std::string(bad) + "\n").c_str(), "m.txt:2: \"");
  }
}

}  // namespace
}  // namespace pretrain
