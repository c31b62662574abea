#include "core/text/model/bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "core/base/random.h"
#include "core/text/tokenizer_json.h"
#include "core/text/unicode/utf8.h"
#include "tests/core/text/model/encode_word.h"
#include "tests/testing/expect_error.h"

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using Ids = std::vector<std::uint32_t>;
using Merges = std::vector<BpeMerge>;

std::vector<std::string> byte_symbols() {
  std::vector<std::string> symbols;
  for (int byte = 0; byte < 256; ++byte) {
    symbols.push_back(byte_symbol(static_cast<unsigned char>(byte)));
  }
  return symbols;
}

// A random byte-level vocabulary: merges of tokens over a few letters, most of them of early ones.
struct Random {
  std::vector<std::string> vocabulary = byte_symbols();
  Merges merges;

  Random(RandomStream& random, const std::string& letters, std::size_t count) {
    std::vector<std::string> tokens;
    for (const char letter : letters)
      tokens.push_back(byte_symbol(static_cast<unsigned char>(letter)));
    std::map<std::string, int> seen;
    while (merges.size() < count) {
      const auto pick = [&] {
        return tokens[std::min(random.below(tokens.size()), random.below(tokens.size()))];
      };
      BpeMerge merge{pick(), pick()};
      const std::string product = merge.left + merge.right;
      if (product.size() > 40 || seen[product]++ != 0) continue;
      merges.push_back(std::move(merge));
      tokens.push_back(product);
      vocabulary.push_back(product);
    }
  }
};

// The definition, word for word: join the leftmost pair of the lowest rank until there is none.
Ids by_definition(const Random& model, std::string_view word) {
  std::map<std::string, std::uint32_t> id;
  for (std::uint32_t i = 0; i < model.vocabulary.size(); ++i) id[model.vocabulary[i]] = i;
  std::map<std::pair<std::string, std::string>, std::size_t> rank;
  for (std::size_t i = 0; i < model.merges.size(); ++i) {
    rank[{model.merges[i].left, model.merges[i].right}] = i;
  }
  std::vector<std::string> parts;
  for (const char byte : word) parts.push_back(byte_symbol(static_cast<unsigned char>(byte)));
  for (;;) {
    std::size_t best = SIZE_MAX;
    std::size_t place = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = rank.find({parts[i], parts[i + 1]});
      if (found == rank.end() || found->second >= best) continue;
      best = found->second;
      place = i;
    }
    if (best == SIZE_MAX) break;
    parts[place] += parts[place + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
  Ids ids;
  for (const std::string& part : parts) ids.push_back(id.at(part));
  return ids;
}

std::string random_word(RandomStream& random, const std::string& letters, std::size_t length) {
  std::string word(length, ' ');
  for (char& letter : word) letter = letters[random.below(letters.size())];
  return word;
}

TEST(ByteLevelBpe, GivesWhatTheDefinitionGivesForShortMediumAndLongWords) {
  RandomStream random(1, RandomPurpose::kTest, 0);
  const std::string letters = "ab\xE4\x01";
  for (int trial = 0; trial < 20; ++trial) {
    const Random parts(random, letters, 5 + random.below(200));
    const auto model = make_bpe(parts.vocabulary, parts.merges, {.byte_level = true}, "model");
    ASSERT_NE(as_byte_level_bpe(*model), nullptr);
    for (int word = 0; word < 60; ++word) {
      const std::string text = random_word(random, letters, random.below(word < 40 ? 40 : 400));
      ASSERT_EQ(encode_word(*model, text), by_definition(parts, text));
      ASSERT_EQ(encode_word(*model, text), by_definition(parts, text)) << "from the cache";
    }
  }
}

// The general class, made to serve byte-level words by a suffix that nothing has.
TEST(Bpe, EqualsTheByteLevelClass) {
  RandomStream random(2, RandomPurpose::kTest, 0);
  const Random parts(random, "abc", 300);
  const auto fast = make_bpe(parts.vocabulary, parts.merges, {.byte_level = true}, "model");
  std::vector<std::string> vocabulary = parts.vocabulary;
  for (const char letter : std::string("abc")) vocabulary.push_back(std::string(1, letter) + "$");
  const auto general =
      make_bpe(vocabulary, parts.merges, {.byte_level = true, .suffix = "$"}, "model");
  ASSERT_EQ(as_byte_level_bpe(*general), nullptr);
  for (int trial = 0; trial < 300; ++trial) {
    const std::string word = random_word(random, "abc", 1 + random.below(60));
    Ids ids = encode_word(*general, word + "a");
    ASSERT_EQ(ids.back(), parts.vocabulary.size());
    ids.pop_back();
    ASSERT_EQ(ids, encode_word(*fast, word));
  }
}

TEST(ByteLevelBpe, WholeTextsAreTheirPiecesOneByOne) {
  RandomStream random(3, RandomPurpose::kTest, 0);
  const std::string letters = "ab .1'\n\xC3\xA9";
  const Random parts(random, letters, 150);
  const auto model = make_bpe(parts.vocabulary, parts.merges, {.byte_level = true}, "model");
  const ByteLevelBpe& bpe = *as_byte_level_bpe(*model);
  for (const std::string& name : split_pattern_names()) {
    const SplitPattern pattern = find_split_pattern(split_regex(name)).value();
    for (int trial = 0; trial < 200; ++trial) {
      const std::string text = random_word(random, letters, random.below(trial < 190 ? 60 : 5000));
      Ids expected = {7};
      for_each_piece(pattern, text, [&](std::size_t begin, std::size_t end) {
        model->encode(std::string_view(text).substr(begin, end - begin), expected);
      });
      Ids ids = {7};
      bpe.encode_text(pattern, text, ids);
      ASSERT_EQ(ids, expected) << name;
      std::string decoded;
      for (std::size_t i = 1; i < ids.size(); ++i) decoded += model->token(ids[i]);
      std::string symbols;
      for (const char byte : text) symbols += byte_symbol(static_cast<unsigned char>(byte));
      ASSERT_EQ(decoded, symbols);
    }
  }
}

TEST(ByteLevelBpe, ModelsOfOneThreadDoNotMixTheirCaches) {
  const auto split = make_bpe(byte_symbols(), {}, {.byte_level = true}, "model");
  std::vector<std::string> vocabulary = byte_symbols();
  vocabulary.push_back("ab");
  const auto joined = make_bpe(vocabulary, {{"a", "b"}}, {.byte_level = true}, "model");
  for (int repeat = 0; repeat < 3; ++repeat) {
    EXPECT_THAT(encode_word(*split, "ab"), ElementsAre('a', 'b'));
    EXPECT_THAT(encode_word(*joined, "ab"), ElementsAre(256));
  }
}

TEST(ByteLevelBpe, ThreadsShareAModel) {
  RandomStream random(4, RandomPurpose::kTest, 0);
  const Random parts(random, "abcd", 200);
  const auto model = make_bpe(parts.vocabulary, parts.merges, {.byte_level = true}, "model");
  std::vector<std::string> words;
  std::vector<Ids> expected;
  for (int i = 0; i < 500; ++i) {
    words.push_back(random_word(random, "abcd", random.below(30)));
    expected.push_back(by_definition(parts, words.back()));
  }
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < words.size(); ++i) {
        Ids ids;
        model->encode(words[i], ids);
        count += ids != expected[i];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

TEST(ByteLevelBpe, AWordOfMegabytesTakesNoQuadraticTime) {
  std::vector<std::string> vocabulary = byte_symbols();
  Merges merges;
  for (std::string token = "a"; token.size() < 64; token += token) {
    merges.push_back({token, token});
    vocabulary.push_back(token + token);
  }
  const auto model = make_bpe(vocabulary, merges, {.byte_level = true}, "model");
  const std::size_t size = std::size_t{1} << 21;
  const Ids ids = encode_word(*model, std::string(size, 'a'));
  EXPECT_EQ(ids, Ids(size / 64, 256 + 5));
}

TEST(ByteLevelBpe, IgnoreMergesKeepsAWordThatIsAToken) {
  std::vector<std::string> vocabulary = byte_symbols();
  vocabulary.insert(vocabulary.end(), {"ab", "abcdefghijklmnopqrst", "abc"});
  const Merges merges = {{"a", "b"}};
  const auto plain = make_bpe(vocabulary, merges, {.byte_level = true}, "model");
  const auto ignoring =
      make_bpe(vocabulary, merges, {.byte_level = true, .ignore_merges = true}, "model");
  EXPECT_THAT(encode_word(*plain, "abc"), ElementsAre(256, 'c'));
  EXPECT_THAT(encode_word(*ignoring, "abc"), ElementsAre(258));
  EXPECT_THAT(encode_word(*ignoring, "abcdefghijklmnopqrst"), ElementsAre(257));
  EXPECT_THAT(encode_word(*ignoring, "abcd"), ElementsAre(256, 'c', 'd'));
}

TEST(ByteLevelBpe, TextNeverBecomesAReservedToken) {
  std::vector<std::string> vocabulary = byte_symbols();
  vocabulary.insert(vocabulary.end(), {"ab", "abc"});
  const BpeOptions options = {.byte_level = true, .ignore_merges = true, .reserved = {256}};
  const auto model = make_bpe(vocabulary, {{"a", "b"}, {"ab", "c"}}, options, "model");
  EXPECT_THAT(encode_word(*model, "ab"), ElementsAre('a', 'b'));
  EXPECT_EQ(model->id_of("ab"), 256u);
}

TEST(Bpe, ClassicWordsEndWithASuffix) {
  const auto model =
      make_bpe({"l", "o", "w", "w</w>", "lo", "low</w>", "lo</w>", "o</w>"},
               {{"l", "o"}, {"lo", "w</w>"}, {"l", "o</w>"}}, {.suffix = "</w>"}, "model");
  EXPECT_THAT(encode_word(*model, "low"), ElementsAre(5));
  EXPECT_THAT(encode_word(*model, "lo"), ElementsAre(6));
  EXPECT_THAT(encode_word(*model, "lowo"), ElementsAre(4, 2, 7));
}

TEST(Bpe, APrefixBeginsWhatContinuesAWord) {
  const auto model = make_bpe({"a", "##a", "##b", "aa", "##aa"}, {{"a", "##a"}, {"##a", "##a"}},
                              {.prefix = "##"}, "model");
  EXPECT_THAT(encode_word(*model, "aaab"), ElementsAre(3, 1, 2));
}

TEST(Bpe, UnknownCharactersBecomeOneTokenOrOneEach) {
  const auto each = make_bpe({"<unk>", "a"}, {}, {.unknown = "<unk>"}, "model");
  EXPECT_THAT(encode_word(*each, "\u00E9\u4E2Da\u00E9"), ElementsAre(0, 0, 1, 0));
  const auto fused =
      make_bpe({"<unk>", "a"}, {}, {.unknown = "<unk>", .fuse_unknown = true}, "model");
  EXPECT_THAT(encode_word(*fused, "\u00E9\u4E2Da\u00E9"), ElementsAre(0, 1, 0));
}

TEST(Bpe, ByteFallbackNeedsAllBytesOfACharacter) {
  const auto model = make_bpe({"<unk>", "a", "<0xC3>", "<0xA9>"}, {},
                              {.unknown = "<unk>", .byte_fallback = true}, "model");
  EXPECT_THAT(encode_word(*model, "a\u00E9"), ElementsAre(1, 2, 3));
  EXPECT_THAT(encode_word(*model, "a\u00E8"), ElementsAre(1, 0));
}

TEST(Bpe, ACharacterWithoutATokenIsRefused) {
  const auto model = make_bpe({"a"}, {}, {}, "model");
  expect_error(ExitCode::kBadData, "the character \"\u00E9\" is not in the vocabulary",
               [&] { encode_word(*model, "a\u00E9"); });
  const auto bytes = make_bpe({"a"}, {}, {.byte_level = true}, "model");
  expect_error(ExitCode::kBadData, "the byte <0xC3> is not in the vocabulary",
               [&] { encode_word(*bytes, "a\u00E9"); });
}

TEST(Bpe, BrokenVocabulariesAndMergesAreNamed) {
  const auto fails = [](std::vector<std::string> vocabulary, const Merges& merges,
                        const BpeOptions& options, const char* message) {
    expect_error(ExitCode::kBadData, message,
                 [&] { make_bpe(std::move(vocabulary), merges, options, "x.json"); });
  };
  fails({"a", "b", "a"}, {}, {}, "x.json: tokens 0 and 2 are both \"a\"");
  fails({}, {}, {}, "x.json: the vocabulary is empty");
  fails({"a", "b", "ab"}, {{"a", "b"}, {"a", "c"}}, {},
        "x.json: merge 1 \"a\" \"c\": \"c\" is not in the vocabulary");
  fails({"a", "b"}, {{"a", "b"}}, {},
        "x.json: merge 0 \"a\" \"b\": \"ab\" is not in the vocabulary");
  fails({"a", "b", "ab"}, {{"a", "b"}, {"a", "b"}}, {}, "merge 1 \"a\" \"b\" comes twice");
  fails({"a", "##b", "ab", "b"}, {{"a", "b"}}, {.prefix = "##"},
        "the right part, expected to begin with \"##\"");
  fails({"a"}, {}, {.unknown = "<unk>"}, "unk_token \"<unk>\" is not in the vocabulary");
  fails({"a"}, {}, {.reserved = {1}}, "special token with id 1, expected 0 to 0");
}

}  // namespace
}  // namespace pretrain
