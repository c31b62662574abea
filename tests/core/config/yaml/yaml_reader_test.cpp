#include "core/config/yaml/yaml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/config/yaml/yaml_surface.h"

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Mark kFile{.file = "q.yaml", .line = 1, .column = 1};

ConfigNode read_well(const std::string& text) {
  ErrorList errors;
  ConfigNode root = read_yaml(text, kFile, errors);
  EXPECT_TRUE(errors.empty()) << errors.messages().front() << "\n" << shortened(text);
  return root;
}

std::vector<std::string> faults(const std::string& text) {
  ErrorList errors;
  read_yaml(text, kFile, errors);
  return errors.messages();
}

std::string repeated(const std::string& part, std::size_t bytes) {
  std::string text;
  while (text.size() + part.size() <= bytes) text += part;
  return text;
}

struct FaultCase {
  const char* text;
  const char* message;  // its beginning
};

class YamlFaultTest : public ::testing::TestWithParam<FaultCase> {};

TEST_P(YamlFaultTest, IsRefusedAtItsPlace) {
  ErrorList errors;
  read_yaml(GetParam().text, kFile, errors);
  ASSERT_FALSE(errors.empty());
  EXPECT_THAT(errors.messages().front(), ::testing::StartsWith(GetParam().message));
  try {
    errors.throw_if_any();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadConfig);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, YamlFaultTest,
    ::testing::Values(
        FaultCase{"", "q.yaml:1:1: expected a map of options, got an empty file"},
        FaultCase{"# only\n", "q.yaml:1:1: expected a map of options, got an empty file"},
        FaultCase{"---\n", "q.yaml:1:1: expected a map of options, got an empty file"},
        FaultCase{"null\n", "q.yaml:1:1: expected a map of options, got an empty file"},
        FaultCase{"text\n", "q.yaml:1:1: expected a map of options, got text"},
        FaultCase{"[a, b]\n", "q.yaml:1:1: expected a map of options, got a list"},
        FaultCase{"a:\tb\n", "q.yaml:1:3: a tab. Use blanks"},
        FaultCase{"a: 1\n\tb: 2\n", "q.yaml:2:1: a tab"},
        FaultCase{"a: \"x\ty\"\n", "q.yaml:1:6: a tab"},
        FaultCase{"\xEF\xBB\xBFrun: {}\n", "q.yaml:1:1: begins with a byte order mark"},
        FaultCase{"\xFF\xFE", "q.yaml:1:1: a byte that is not UTF-8"},
        FaultCase{"a: b\nc: \xC0\xAF\n", "q.yaml:2:4: a byte that is not UTF-8"},
        FaultCase{"c: \xED\xA0\x80\n", "q.yaml:1:4: a byte that is not UTF-8"},
        FaultCase{"c: \xF4\x90\x80\x80\n", "q.yaml:1:4: a byte that is not UTF-8"},
        FaultCase{"c: \xE2\x82", "q.yaml:1:4: a byte that is not UTF-8"},
        FaultCase{"a: \x01\n", "q.yaml:1:4: a control byte of value 1"},
        FaultCase{"a: 1\rb: 2\n", "q.yaml:1:5: a control byte of value 13"},
        FaultCase{"a: \"\\0\"\n", "q.yaml:1:4: a NUL byte"},
        FaultCase{"%YAML 1.2\n---\na: 1\n", "q.yaml:1:1: a directive (%) is not allowed"},
        FaultCase{"# c\n\n%TAG ! x\n---\na: 1\n", "q.yaml:3:1: a directive (%) is not allowed"},
        FaultCase{"a: 1\n---\nb: 1\n", "q.yaml:2:1: a second document begins"},
        FaultCase{"a: 1\n...\nb: 1\n", "q.yaml:3:1: a second document begins"},
        FaultCase{"a: &x 1\n", "q.yaml:1:4: anchors (&x) are not allowed"},
        FaultCase{"a: &x [1]\n", "q.yaml:1:4: anchors (&x) are not allowed"},
        FaultCase{"a: &x\n", "q.yaml:1:4: anchors (&x) are not allowed"},
        FaultCase{"&k a: 1\n", "q.yaml:1:1: anchors (&k) are not allowed"},
        FaultCase{"a: *x\n", "q.yaml:1:4: aliases (*name) are not allowed"},
        FaultCase{"a: !!str 5\n", "q.yaml:1:4: tags (!name) are not allowed"},
        FaultCase{"a: ! 5\n", "q.yaml:1:4: tags (!name) are not allowed"},
        FaultCase{"a: !x {b: 1}\n", "q.yaml:1:4: tags (!name) are not allowed"},
        FaultCase{"a: !<x> [1]\n", "q.yaml:1:4: tags (!name) are not allowed"},
        FaultCase{"a: {<<: {b: 1}}\n", "q.yaml:1:5: merge keys (<<) are not allowed"},
        FaultCase{"run: 1\n\noptimizer: 2\nrun: 3\n",
                  "q.yaml:4:1: run is given twice (first at 1:1). Keep one"},
        FaultCase{"m: {a: 1,\n    \"a\": 2}\n",
                  "q.yaml:2:5: m.a is given twice (first at 1:5). Keep one"},
        FaultCase{"a:\n  b:\n    c: 1\n    c: 1\n",
                  "q.yaml:4:5: a.b.c is given twice (first at 3:5). Keep one"},
        FaultCase{"? [a]\n: 1\n", "q.yaml:1:3: expected a key of text, got a list"},
        FaultCase{"? {a: 1}\n: 1\n", "q.yaml:1:3: expected a key of text, got a map"},
        FaultCase{"a: {null: 1}\n", "q.yaml:1:5: expected a key, got null. Quote it"},
        FaultCase{"a: {\"\": 1}\n", "q.yaml:1:5: an empty key"},
        FaultCase{"a: [1, 2\n", "q.yaml:2:1: not valid YAML: end of sequence flow not found"},
        FaultCase{"a: 1\n  b: 2\n", "q.yaml:2:4: not valid YAML: illegal map value"},
        FaultCase{"a: @x\n", "q.yaml:1:4: not valid YAML: unknown token"},
        FaultCase{"a: \"x\n", "q.yaml:1:4: a quote that is not closed"},
        FaultCase{"a: \"\\q\"\n", "q.yaml:1:7: not valid YAML: unknown escape character: q"}));

TEST(YamlReaderTest, NulByteIsRefused) {
  EXPECT_THAT(faults(std::string("a: b\0c\n", 7)),
              ElementsAre(HasSubstr("q.yaml:1:5: a NUL byte")));
}

TEST(YamlReaderTest, MarksAndKindsAreKept) {
  const ConfigNode root = read_well("a: 1\nb:\n  - x\n  - {c: \"2\", d: }\ne:\nf: ~\r\n");
  ASSERT_TRUE(root.is_map());
  EXPECT_EQ(to_string(root.find("a")->mark()), "q.yaml:1:4");
  EXPECT_EQ(root.find("a")->text(), "1");
  EXPECT_FALSE(root.find("a")->quoted());
  const ConfigNode& item = root.find("b")->items().at(1);
  EXPECT_EQ(to_string(item.mark()), "q.yaml:4:5");
  EXPECT_TRUE(item.find("c")->quoted());
  EXPECT_EQ(to_string(item.entries()[0].key_mark), "q.yaml:4:6");
  EXPECT_EQ(to_string(item.find("d")->mark()), "q.yaml:4:14");
  // Nothing is written after `e:`, so its place is the key's, not the next line's.
  EXPECT_TRUE(root.find("e")->is_null());
  EXPECT_EQ(to_string(root.find("e")->mark()), "q.yaml:5:1");
  EXPECT_EQ(to_string(root.find("f")->mark()), "q.yaml:6:4");
  EXPECT_EQ(root.entries().size(), 4U);
}

TEST(YamlReaderTest, WordsOfNullAreTextInQuotesAndBlocksAreText) {
  const ConfigNode root = read_well("a: 'null'\nb: |\n  [[[\n  <<: &x\nc: >-\n  x\n  y\n");
  EXPECT_EQ(root.find("a")->text(), "null");
  EXPECT_EQ(root.find("b")->text(), "[[[\n<<: &x\n");
  EXPECT_TRUE(root.find("b")->quoted());
  EXPECT_EQ(root.find("c")->text(), "x y");
}

TEST(YamlReaderTest, SeveralFaultsAreShownTogether) {
  EXPECT_THAT(faults("a: &x 1\nb: !t 2\na: 3\n"),
              ElementsAre(HasSubstr(":1:4: anchors"), HasSubstr(":2:4: tags"),
                          HasSubstr(":3:1: a is given twice")));
  EXPECT_EQ(faults(repeated("a: &x 1\n", 1000)).size(), ErrorList::kShown);
}

TEST(YamlReaderTest, HiddenErrorsAreCounted) {
  ErrorList errors;
  for (int i = 0; i < 23; ++i) errors.add(kFile, concat("fault ", i));
  try {
    errors.throw_if_any();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("fault 19\n3 more errors are not shown"));
  }
}

TEST(YamlReaderTest, MessagesAreOneLineEach) {
  for (const std::string& message : faults("\"a\\nb\\x1b\": 1\n\"a\\nb\\x1b\": 2\n")) {
    EXPECT_EQ(message, "q.yaml:2:1: a\\x0ab\\x1b is given twice (first at 1:1). Keep one");
  }
}

TEST(YamlReaderTest, AliasBombIsRefused) {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'j'; ++c) {
    const std::string use = std::string("*") + static_cast<char>(c - 1);
    bomb += std::string(1, c) + ": &" + c + " [" + repeated(use + " , ", 50) + use + "]\n";
  }
  EXPECT_EQ(faults(bomb).size(), ErrorList::kShown);
}

TEST(YamlReaderTest, DepthIsLimitedExactly) {
  const auto nested = [](std::size_t depth) {  // with the root map
    return "a: " + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "\n";
  };
  read_well(nested(kMaxConfigDepth));
  EXPECT_THAT(faults(nested(kMaxConfigDepth + 1)), ElementsAre(HasSubstr("deeper than 32 levels")));
  EXPECT_THAT(faults(nested(kMaxConfigDepth + 2)), ElementsAre(HasSubstr("deeper than 32 levels")));
}

TEST(YamlReaderTest, BracketsInTextAreNoDepth) {
  const std::string brackets(40, '[');
  const ConfigNode root =
      read_well("a: \"" + brackets + "\"\nb: 'it''s " + brackets + "'\n# " + brackets + "\nc: x" +
                brackets + "\nd: |\n  " + brackets + "\ne:\n  - |\n    " + brackets +
                "\n  - k: |\n      " + brackets + "\n");
  EXPECT_EQ(root.find("a")->text(), brackets);
  EXPECT_EQ(root.find("e")->items()[1].find("k")->text(), brackets + "\n");
}

TEST(YamlReaderTest, SizeAndNodesAreLimited) {
  std::string full = "a: 1\n" + std::string(kMaxConfigBytes - 5, '#');
  read_well(full);
  full += '#';
  EXPECT_THAT(faults(full), ElementsAre(HasSubstr("expected at most 1 MiB, got 1048577 bytes")));
  read_well("a: [" + repeated("1,", 2 * (kMaxConfigNodes - 3)) + "]");
  EXPECT_THAT(faults("a: [" + repeated("1,", 2 * (kMaxConfigNodes + 1)) + "]"),
              ElementsAre(HasSubstr("more than 100000 values")));
  EXPECT_THAT(faults("a:\n" + repeated("- 1\n", 4 * (kMaxConfigNodes + 1))),
              ElementsAre(HasSubstr("more than 100000 values")));
}

TEST(YamlReaderTest, KeysAreLimited) {
  EXPECT_THAT(faults("? " + std::string(2000, 'k') + "\n: 1\n"),
              ElementsAre(HasSubstr("a key of 2000 bytes, expected at most 256")));
}

// Far above what a linear reader takes, on a busy machine too, and far below a quadratic one.
constexpr double kSecondsPerText = 5;

TEST(YamlReaderTest, NoMebibyteTakesQuadraticTime) {
  for (const char* part :
       {"[",          "{",    "- ",      "? ",   "a: ",      "[a,",    "{a: ",
        "{a,",        "[a: ", "a: b\n",  "a, ",  ":",        "-",      "! ",
        "& ",         "&a ",  "*a ",     "\"",   "'",        "--- ",   "---\n",
        "%a b\n",     "[\n",  "[\"a\",", "|\n",  "a: |\n",   "x",      "x ",
        "\n",         " ",    "]",       ",",    "# x\n",    "a: [\n", "\"a\": \"b\"\n",
        "- [a, b]\n", "${",   "? a\n",   "a:\n", "\xC3\xA9", "\\",     "'' ",
        "::",         ":a"}) {
    for (const char* before : {"", "a: ", "a: [", "a: \"", "a: |\n  ", "[a, {b: "}) {
      const std::string text = before + repeated(part, kMaxConfigBytes - 10);
      ErrorList errors;
      const std::clock_t start = std::clock();
      read_yaml(text, kFile, errors);
      const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      EXPECT_LT(seconds, kSecondsPerText) << before << part << "...";
    }
  }
}

TEST(YamlReaderTest, OverrideValuesAreFlowOrPlainText) {
  ErrorList errors;
  const Mark place{.file = "override a=b"};
  const auto value = [&](const std::string& text) { return read_yaml_value(text, place, errors); };
  EXPECT_EQ(to_flow(value("[1, {a: 2}]")), "[1, {a: 2}]");
  EXPECT_EQ(value("a: b").text(), "a: b");
  EXPECT_EQ(value("*.h5").text(), "*.h5");
  EXPECT_TRUE(value("").is_null());
  EXPECT_TRUE(value("null").is_null());
  EXPECT_TRUE(value("\"8\"").quoted());
  EXPECT_FALSE(value("8").quoted());
  EXPECT_TRUE(errors.empty());
  value("[1, 2");
  ASSERT_FALSE(errors.empty());
  EXPECT_THAT(errors.messages().back(), HasSubstr("override a=b: not valid YAML"));
}

// Any tree with any text in it survives the way through a file.
ConfigNode random_node(RandomStream& random, int depth) {
  const auto text = [&] {
    static const std::string kAlphabet = "ab01-?:,[]{}#&*!|>'\"%@` \n\r\x01~.$_\\/\x7f=+<";
    std::string out;
    for (std::uint64_t i = random.below(8); i > 0; --i)
      out += kAlphabet[random.below(kAlphabet.size())];
    return random.below(4) == 0 ? out + "\xC3\xA9\xE2\x80\xA8" : out;
  };
  switch (depth == 0 ? random.below(3) : random.below(5)) {
    case 0:
      return ConfigNode::null();
    case 1:
      return ConfigNode::scalar(text(), true);
    case 2:
      return ConfigNode::plain(text());
    case 3: {
      ConfigNode list = ConfigNode::list();
      for (std::uint64_t i = random.below(4); i > 0; --i)
        list.append(random_node(random, depth - 1));
      return list;
    }
    default: {
      ConfigNode map = ConfigNode::map();
      for (std::uint64_t i = random.below(4); i > 0; --i) {
        const std::string key = text();
        if (!key.empty()) map.set(key, random_node(random, depth - 1));
      }
      return map;
    }
  }
}

TEST(YamlReaderTest, EmittedYamlReadsBackToAnEqualNode) {
  RandomStream random(1, RandomPurpose::kTest, 3);
  for (int i = 0; i < 5'000; ++i) {
    ConfigNode root = ConfigNode::map();
    for (const char* key : {"a", "b", "null", "<<", "- x", "~", "c: d"}) {
      root.set(key, random_node(random, 4));
    }
    const std::string text = to_yaml(root);
    ErrorList errors;
    const ConfigNode again = read_yaml(text, kFile, errors);
    ASSERT_TRUE(errors.empty()) << errors.messages().front() << "\n" << text;
    ASSERT_TRUE(again == root) << text << "\nread as\n" << to_yaml(again);
    ASSERT_EQ(to_yaml(again), text);
    const ConfigNode flow = read_yaml(to_flow(root), kFile, errors);
    ASSERT_TRUE(errors.empty()) << errors.messages().front() << "\n" << to_flow(root);
    ASSERT_EQ(flow.entries().size(), root.entries().size());
  }
}

}  // namespace
}  // namespace pretrain
