#include <chrono>
#include <cstdlib>

#include "core/base/random.h"
#include "core/data/corpus/input/record.h"
#include "core/text/unicode/utf8.h"
#include "tests/core/data/corpus/corpus_fixture.h"
#include "tests/core/data/corpus/input/packing.h"

namespace pretrain {
namespace {

class MutationTest : public CorpusFixture {
 protected:
  // What a damaged input may do: give valid documents, or end in an Error that names the file.
  static void read_all(const std::string& file, const TextFormat& format) {
    try {
      const auto reader = open_documents(file, format);
      std::string text;
      while (reader->next(text)) {
        ASSERT_FALSE(find_invalid_utf8(text));
        ASSERT_LE(text.size(), 4 * format.max_document_bytes);
      }
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadData) << error.what();
      ASSERT_NE(std::string(error.what()).find(file), std::string::npos) << error.what();
    }
  }

  static std::string mutated(std::string text, RandomStream& random) {
    constexpr std::string_view kParts[] = {
        "\"", "\\",   "\\u",  "\\ud800",      "{", "}",           ",",
        "\n", "\r\n", "\xff", "\xED\xA0\x80", "[", "\xEF\xBB\xBF"};
    for (std::uint64_t n = 1 + random.below(4); n > 0 && !text.empty(); --n) {
      const std::size_t at = random.below(text.size());
      switch (random.below(5)) {
        case 0:
          text[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          text.erase(at, 1 + random.below(20));
          break;
        case 2:
          text.insert(at, kParts[random.below(std::size(kParts))]);
          break;
        case 3:
          text.insert(at, text.substr(random.below(text.size()), random.below(50)));
          break;
        default:
          text.resize(at);
      }
    }
    return text;
  }
};

// Some thousand inputs; for long with FUZZ_SECONDS=N.
TEST_F(MutationTest, DamagedInputsNeverCrash) {
  const char* seconds = std::getenv("FUZZ_SECONDS");
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::seconds(seconds != nullptr ? std::atoi(seconds) : 0);
  const std::string jsonl =
      "{\"text\":\"a\\u00e4\\ud83d\\ude00\\n\",\"n\":[1,{\"text\":\"no\"}]}\n{\"text\":\"b\"}\n";
  const std::string csv = "id,text\n1,\"a \"\"quoted\"\"\nline\"\n2,b\r\n";
  std::string long_text;
  for (int i = 0; i < 2000; ++i) long_text += std::to_string(i * 7919) + "\n\n";
  const std::pair<const char*, std::string> seeds[] = {
      {"t.jsonl", jsonl},
      {"t.csv", csv},
      {"t.txt.gz", testing::gzip(long_text) + testing::gzip(jsonl)},
      {"t.jsonl.zst", testing::zstd(jsonl) + testing::zstd(long_text)}};
  RandomStream random(11, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 4000 || std::chrono::steady_clock::now() < end; ++trial) {
    const auto& [name, content] = seeds[random.below(std::size(seeds))];
    const std::string file = write(name, mutated(content, random));
    TextFormat format;
    format.invalid = static_cast<InvalidText>(random.below(3));
    format.max_document_bytes = random.below(4) == 0 ? 40 : 1 << 20;
    read_all(file, format);
    if (HasFatalFailure()) FAIL() << "trial " << trial << ": " << name;
  }
}

}  // namespace
}  // namespace pretrain
