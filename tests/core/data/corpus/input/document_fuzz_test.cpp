#include "core/base/random.h"
#include "core/data/corpus/input/record.h"
#include "core/text/unicode/utf8.h"
#include "tests/core/data/corpus/corpus_fixture.h"
#include "tests/core/data/corpus/input/packing.h"
#include "tests/testing/fuzz.h"

namespace pretrain {
namespace {

const std::string kJsonl =
    "{\"text\":\"a\\u00e4\\ud83d\\ude00\\n\",\"n\":[1,{\"text\":\"no\"}]}\n{\"text\":\"b\"}\n";

std::string long_text() {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += std::to_string(i * 7919) + "\n\n";
  return text;
}

class DocumentFuzzTest : public CorpusFixture {
 protected:
  // A damaged input gives valid documents, or ends in an Error that names the file.
  void fuzz_file(const std::string& name, const std::vector<std::string>& seeds) {
    std::uint64_t trial = 0;
    const auto read_all = [&](const std::string& input) {
      const std::string file = write(name, input);
      RandomStream random(11, RandomPurpose::kTest, trial++);
      TextFormat format;
      format.invalid = static_cast<InvalidText>(random.below(3));
      format.max_document_bytes = random.below(4) == 0 ? 40 : 1 << 20;
      try {
        const auto reader = open_documents(file, format);
        std::string text;
        while (reader->next(text)) {
          ASSERT_FALSE(find_invalid_utf8(text));
          ASSERT_LE(text.size(), 4 * format.max_document_bytes);
        }
      } catch (const Error& error) {
        ASSERT_NE(std::string(error.what()).find(file), std::string::npos) << error.what();
        throw;
      }
    };
    const auto accepted =
        testing::fuzz({.seeds = seeds,
                       .dictionary = {"\"", "\\", "\\u", "\\ud800", "{", "}", ",", "\n", "\r\n",
                                      "\xff", "\xED\xA0\x80", "[", "\xEF\xBB\xBF"}},
                      read_all);
    EXPECT_GT(accepted, 0u);
  }
};

TEST_F(DocumentFuzzTest, JsonlIsReadOrRefused) { fuzz_file("t.jsonl", {kJsonl}); }

TEST_F(DocumentFuzzTest, CsvIsReadOrRefused) {
  fuzz_file("t.csv", {"id,text\n1,\"a \"\"quoted\"\"\nline\"\n2,b\r\n"});
}

TEST_F(DocumentFuzzTest, GzipIsReadOrRefused) {
  fuzz_file("t.txt.gz", {testing::gzip(long_text()) + testing::gzip(kJsonl)});
}

TEST_F(DocumentFuzzTest, ZstandardIsReadOrRefused) {
  fuzz_file("t.jsonl.zst", {testing::zstd(kJsonl) + testing::zstd(long_text())});
}

}  // namespace
}  // namespace pretrain
