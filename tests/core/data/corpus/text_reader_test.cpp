#include "core/data/corpus/text_reader.h"

#include "core/base/random.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Documents = std::vector<std::string>;

class TextReaderTest : public CorpusFixture {
 protected:
  static Documents all(const std::string& file, const TextFormat& format) {
    const auto reader = open_documents(file, format);
    Documents documents;
    std::string text = "left over";
    while (reader->next(text)) documents.push_back(text);
    EXPECT_FALSE(reader->next(text));
    EXPECT_EQ(reader->bytes_read(), std::filesystem::file_size(file));
    return documents;
  }
  Documents text(const std::string& content, const std::string& doc_sep) const {
    return all(write("t.txt", content), {.doc_sep = doc_sep});
  }
  Documents jsonl(const std::string& content, const std::string& field = "text") const {
    return all(write("t.jsonl", content), {.field = field});
  }
};

TEST_F(TextReaderTest, BlankLinesDivide) {
  EXPECT_EQ(text("a\nb\n\nc\n", "blank"), (Documents{"a\nb", "c"}));
  EXPECT_EQ(text("\n\n a \n\n\n\nb", "blank"), (Documents{" a ", "b"}));
  EXPECT_EQ(text("a\r\nb\r\n\r\nc\r\n", "blank"), (Documents{"a\r\nb", "c"}));
  EXPECT_EQ(text("", "blank"), Documents{});
  EXPECT_EQ(text("\n\n\n", "blank"), Documents{});
}

TEST_F(TextReaderTest, LinesAreDocuments) {
  EXPECT_EQ(text("a\n\nb\r\nc", "line"), (Documents{"a", "", "b", "c"}));
  EXPECT_EQ(text("a\n", "line"), Documents{"a"});
}

TEST_F(TextReaderTest, TheFileIsOneDocumentByteForByte) {
  EXPECT_EQ(text("\na\r\n\n", "file"), Documents{"\na\r\n\n"});
  EXPECT_EQ(text("", "file"), Documents{});
}

TEST_F(TextReaderTest, ATextDivides) {
  EXPECT_EQ(text("a\n<|x|>\nb<|x|>c<|x|>", "<|x|>"), (Documents{"a", "b", "c"}));
  EXPECT_EQ(text("<|x|><|x|>a\n\n", "<|x|>"), (Documents{"", "", "a\n"}));
  EXPECT_EQ(text("\na<|x|>\r\nb\r\n", "<|x|>"), (Documents{"\na", "b"}));
  EXPECT_EQ(text("aaa", "aa"), (Documents{"", "a"}));
}

TEST_F(TextReaderTest, PiecesOfTheInputDoNotShow) {
  // Documents whose ends and separators fall on all sides of the reader's piece of 1 MiB.
  RandomStream random(7, RandomPurpose::kTest, 0);
  for (const std::string& sep : Documents{"blank", "line", "<|endoftext|>"}) {
    const std::string between = sep == "blank" ? "\n\n" : sep == "line" ? "\n" : sep;
    Documents expected;
    std::string content;
    for (const std::size_t target : {(1u << 20) - 9, (2u << 20) - 5, (3u << 20) - 1, 3300000u}) {
      while (content.size() < target) {
        const std::size_t room = target - content.size();
        expected.emplace_back(std::min<std::size_t>(room, 1 + random.below(200000)), 'x');
        content += expected.back() + between;
      }
    }
    EXPECT_EQ(text(content, sep), expected) << sep;
  }
}

TEST_F(TextReaderTest, JsonLines) {
  EXPECT_EQ(jsonl("{\"text\":\"a\\nb\"}\n\n {\"id\":1,\"text\":\"\"} \r\n{\"text\":\"\\u00e4\"}"),
            (Documents{"a\nb", "", "\xC3\xA4"}));
  EXPECT_EQ(jsonl("{\"text\":1,\"body\":\"x\"}\n", "body"), Documents{"x"});
  const std::string good = "{\"text\":\"a\"}\n";
  EXPECT_THAT(message([&] { jsonl(good + "{\"text\":\n"); }),
              HasSubstr("t.jsonl:2: is not valid JSON at byte"));
  EXPECT_THAT(message([&] { jsonl(good + "\n" + "{\"body\":\"a\"}\n"); }),
              HasSubstr("t.jsonl:3: no field \"text\", fields here: body."));
  EXPECT_THAT(message([&] { jsonl("{\"text\":[\"a\"]}\n"); }),
              HasSubstr("t.jsonl:1: text: expected a text"));
  EXPECT_THAT(message([&] { jsonl("{\"meta\":{\"text\":\"no\"}}\n"); }), HasSubstr("no field"));
  EXPECT_THAT(message([&] { jsonl(good + "{\"text\":\"\xff\"}\n"); }),
              HasSubstr("t.jsonl:2: byte 9 of the line is not valid UTF-8"));
  EXPECT_THAT(message([&] { jsonl("[1]\n"); }),
              HasSubstr("t.jsonl:1: is a JSON array, expected an object a line"));
}

TEST_F(TextReaderTest, InvalidUtf8NamesTheByteOfTheFile) {
  for (const char* sep : {"blank", "line", "file", "--"}) {
    EXPECT_THAT(message([&] { text("abc\n\n--de\xff", sep); }), HasSubstr("t.txt: byte 9 is not"))
        << sep;
  }
}

TEST_F(TextReaderTest, DocumentsHaveALimit) {
  const std::string file = write("t.txt", "ab\n\nabcdefghij\nk\n\nc");
  for (const char* sep : {"blank", "line", "file", "\n\n"}) {
    EXPECT_THAT(message([&] { all(file, {.doc_sep = sep, .max_document_bytes = 9}); }),
                HasSubstr("has more than 9 bytes"))
        << sep;
    EXPECT_NO_THROW(all(file, {.doc_sep = sep, .max_document_bytes = 20})) << sep;
  }
  EXPECT_EQ(TextFormat().max_document_bytes, UINT32_MAX);
}

TEST_F(TextReaderTest, RefusesWhatItCannotOpen) {
  EXPECT_THAT(message([&] { open_documents(path("none"), {}); }), HasSubstr("none: cannot open"));
  EXPECT_THAT(message([&] { open_documents(folder_.path(), {}); }), HasSubstr("is a folder"));
  const std::string file = write("t.txt", "a");
  EXPECT_THAT(message([&] { open_documents(file, {.format = "xml"}); }, ExitCode::kUsage),
              StartsWith("--format xml is not known"));
  EXPECT_THAT(message([&] { open_documents(file, {.doc_sep = ""}); }, ExitCode::kUsage),
              StartsWith("--doc-sep is empty"));
}

}  // namespace
}  // namespace pretrain
