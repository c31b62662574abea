#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/config/config_loader.h"
#include "core/config/interpolation.h"
#include "core/config/yaml/yaml_reader.h"
#include "tests/core/config/sample_options.h"

namespace pretrain {
namespace {

// One to eight edits: bytes flipped, cut out, doubled, swapped for pieces that matter to YAML.
std::string mutated(std::string text, RandomStream& random) {
  static const std::vector<std::string> kPieces = {"\t",
                                                   std::string(1, '\0'),
                                                   "&a ",
                                                   "*a",
                                                   "!!str ",
                                                   "<<: ",
                                                   "---\n",
                                                   "...\n",
                                                   "%YAML\n",
                                                   "[",
                                                   "{",
                                                   "]",
                                                   "}",
                                                   ": ",
                                                   "- ",
                                                   "? ",
                                                   "\"",
                                                   "'",
                                                   "|\n",
                                                   ">\n",
                                                   "# ",
                                                   "${",
                                                   "}",
                                                   "${a.b}",
                                                   "${run.seed}",
                                                   "$${",
                                                   "${env:HOME,x}",
                                                   "null",
                                                   "\xFF",
                                                   "\xEF\xBB\xBF",
                                                   "9223372036854775808",
                                                   "-1",
                                                   "1e309",
                                                   "nan",
                                                   "010",
                                                   "yes",
                                                   "\r\n",
                                                   ",",
                                                   "\n",
                                                   "  ",
                                                   "~",
                                                   "@",
                                                   "\\"};
  for (std::uint64_t edits = 1 + random.below(8); edits > 0; --edits) {
    const std::size_t at = random.below(text.size() + 1);
    const std::size_t length = random.below(20);
    switch (random.below(5)) {
      case 0:
        text.insert(at, kPieces[random.below(kPieces.size())]);
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(random.below(text.size() + 1), text.substr(at, length));
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(random.below(256));
        break;
      default:
        text.replace(at, std::min(length, text.size() - at), kPieces[random.below(kPieces.size())]);
    }
  }
  return text;
}

TEST(ConfigFuzzTest, MutationsAreReadOrRefused) {
  RandomStream random(1, RandomPurpose::kTest, 4);
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = mutated(testing::kSampleConfig, random);
    ErrorList errors;
    ConfigNode root = read_yaml(text, Mark{.file = "q.yaml", .line = 1, .column = 1}, errors);
    std::map<std::string, std::string> environment;
    interpolate(root, environment, errors);
    testing::SampleOptions options;
    const ConfigNode resolved = testing::read_options(root, options, errors);
    for (const std::string& message : errors.messages()) {
      ASSERT_EQ(message.find('\n'), std::string::npos);
    }
    try {
      errors.throw_if_any();
      // What is accepted can be sent to other ranks and read there to the same options.
      testing::SampleOptions again;
      const std::string sent = to_yaml(resolved);
      const ConfigNode received = parse_config_text(sent, "resolved");
      ASSERT_EQ(to_yaml(testing::read_options(received, again, errors)), sent);
      ASSERT_TRUE(errors.empty()) << errors.messages()[0] << "\n" << sent;
      ++accepted;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadConfig);
      ++refused;
    }
  }
  // Both outcomes must be exercised for the test to say something.
  EXPECT_GT(accepted, 200);
  EXPECT_GT(refused, 5'000);
}

}  // namespace
}  // namespace pretrain
