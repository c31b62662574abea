#include "core/text/model/byte_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace pretrain {
namespace {

TEST(ByteTrie, FindsItsKeysAndNoOthers) {
  const std::vector<std::string> keys = {"a", "abc", "", "b", std::string("\0", 1), "\xFF\x80"};
  const ByteTrie trie(keys);
  for (std::uint32_t i = 0; i < keys.size(); ++i) EXPECT_EQ(trie.find(keys[i]), i);
  for (const char* other : {"ab", "abcd", "c", "\xFF"}) {
    EXPECT_EQ(trie.find(other), ByteTrie::kNone) << other;
  }
}

TEST(ByteTrie, OfNoKeysIsEmpty) {
  const ByteTrie trie({});
  EXPECT_EQ(trie.find(""), ByteTrie::kNone);
  EXPECT_EQ(trie.find("a"), ByteTrie::kNone);
}

TEST(ByteTrie, EqualsAMapForRandomKeys) {
  std::mt19937 random(1);
  for (int alphabet : {2, 4, 30, 256}) {
    std::map<std::string, std::uint32_t> expected;
    std::vector<std::string> keys;
    const auto draw = [&] {
      std::string key(random() % 8, ' ');
      for (char& byte : key) byte = static_cast<char>(random() % static_cast<unsigned>(alphabet));
      return key;
    };
    for (int i = 0; i < 20000; ++i) {
      const std::string key = draw();
      if (expected.emplace(key, keys.size()).second) keys.push_back(key);
    }
    const ByteTrie trie(keys);
    for (const auto& [key, place] : expected) ASSERT_EQ(trie.find(key), place);
    for (int i = 0; i < 20000; ++i) {
      const std::string key = draw();
      const auto found = expected.find(key);
      ASSERT_EQ(trie.find(key), found == expected.end() ? ByteTrie::kNone : found->second);
    }
  }
}

TEST(ByteTrie, TakesAVeryLongKey) {
  const std::vector<std::string> keys = {std::string(1 << 20, 'a'), "aa"};
  const ByteTrie trie(keys);
  EXPECT_EQ(trie.find(keys[0]), 0u);
  EXPECT_EQ(trie.find(keys[1]), 1u);
}

}  // namespace
}  // namespace pretrain
