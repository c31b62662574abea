#include "core/data/corpus/input/record.h"

#include <sys/resource.h>

#include "core/base/random.h"
#include "core/data/corpus/input/invalid_text.h"
#include "tests/core/data/corpus/corpus_fixture.h"
#include "tests/core/data/corpus/input/packing.h"

namespace pretrain {
namespace {

using testing::gzip;
using ::testing::HasSubstr;
using testing::zstd;
using Documents = std::vector<std::string>;

class RecordTest : public CorpusFixture {
 protected:
  static Documents all(const std::string& file, const TextFormat& format,
                       InvalidCounts* counts = nullptr) {
    const auto reader = open_documents(file, format);
    Documents documents;
    std::string text;
    while (reader->next(text)) documents.push_back(text);
    if (counts != nullptr) *counts = reader->invalid();
    return documents;
  }
  Documents read_as(const std::string& name, const std::string& content,
                    const TextFormat& format) const {
    return all(write(name, content), format);
  }
};

TEST_F(RecordTest, PackedFilesReadAsTheirContent) {
  std::string content;
  for (int i = 0; i < 250000; ++i) content += "line " + std::to_string(i * 7919) + "\n";
  const Documents lines = read_as("t.txt", content, {.doc_sep = "line"});
  const std::size_t middle = content.size() / 2;
  const std::string first = content.substr(0, middle);
  const std::string second = content.substr(middle);
  const TextFormat format{.doc_sep = "line"};
  EXPECT_EQ(read_as("t.txt.gz", gzip(content), format), lines);
  EXPECT_EQ(read_as("members.gz", gzip(first) + gzip("") + gzip(second), format), lines);
  EXPECT_EQ(read_as("padded.gz", gzip(content) + std::string(3000, '\0'), format), lines);
  EXPECT_EQ(read_as("t.txt.zst", zstd(content), format), lines);
  EXPECT_EQ(read_as("frames.zst", zstd(first) + zstd(second), format), lines);
  EXPECT_EQ(read_as("named_otherwise", gzip(content), format), lines);
  EXPECT_EQ(read_as("named_otherwise", zstd(content), format), lines);
  EXPECT_EQ(read_as("t.jsonl.gz", gzip("{\"text\":\"a\"}\n"), {}), Documents{"a"});
  EXPECT_EQ(read_as("t.csv.zst", zstd("text\na\n"), {}), Documents{"a"});
}

TEST_F(RecordTest, PackedFilesThatEndEarlyNameTheByte) {
  std::string content;
  for (int i = 0; i < 20000; ++i) content += std::to_string(i * 7919) + "\n";
  for (const std::string& packed : {gzip(content), zstd(content)}) {
    const std::string name = packed.starts_with("\x1f") ? "t.gz" : "t.zst";
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{5}, packed.size() / 2, packed.size() - 1}) {
      const std::string said =
          message([&] { read_as(name, packed.substr(0, size), {.doc_sep = "line"}); });
      EXPECT_THAT(said, HasSubstr(concat(name, ": ends early, at byte ", size, ","))) << size;
    }
    std::string damaged = packed;
    for (std::size_t i = packed.size() / 2; i < packed.size() / 2 + 20; ++i) damaged[i] ^= 0x55;
    EXPECT_THAT(message([&] { read_as(name, damaged, {.doc_sep = "line"}); }),
                HasSubstr(name + ": is damaged before byte"));
  }
  EXPECT_THAT(message([&] { read_as("t.gz", "plain text", {}); }), HasSubstr("t.gz: is damaged"));
  EXPECT_THAT(message([&] { read_as("t.gz", gzip("a") + "rest", {}); }),
              HasSubstr("t.gz: is damaged"));
}

TEST_F(RecordTest, ByteOrderMarksAreNoText) {
  const std::string bom = "\xEF\xBB\xBF";
  for (const char* sep : {"blank", "line", "file", "--"}) {
    EXPECT_EQ(read_as("t.txt", bom + "a", {.doc_sep = sep}), Documents{"a"}) << sep;
  }
  EXPECT_EQ(read_as("t.jsonl", bom + "{\"text\":\"a\"}\n", {}), Documents{"a"});
  EXPECT_EQ(read_as("t.csv", bom + "text\na\n", {}), Documents{"a"});
  EXPECT_EQ(read_as("t.txt.gz", gzip(bom + "a"), {}), Documents{"a"});
  // Only at the start of an input.
  EXPECT_EQ(read_as("t.txt", "a\n" + bom + "b", {.doc_sep = "line"}), (Documents{"a", bom + "b"}));
}

TEST_F(RecordTest, Csv) {
  EXPECT_EQ(read_as("t.csv", "id,text\n1,a\n2,\"b, \"\"c\"\"\r\nd\"\r\n\n3,\n4,x\"y\n", {}),
            (Documents{"a", "b, \"c\"\r\nd", "", "x\"y"}));
  EXPECT_EQ(read_as("t.csv", "1,\"a\"\n2,b", {.field = "2"}), (Documents{"a", "b"}));
  EXPECT_EQ(read_as("t.tsv", "id\ttext\n1\ta,b\n", {}), Documents{"a,b"});
  EXPECT_EQ(read_as("t.txt", "\"te\"\"xt\"\n7\n", {.format = "csv", .field = "te\"xt"}),
            Documents{"7"});
  const auto refused = [&](const std::string& content, const TextFormat& format = {}) {
    return message([&] { read_as("t.csv", content, format); });
  };
  EXPECT_THAT(refused("id,body\n1,a\n"), HasSubstr("t.csv:1: no column \"text\" in the header: "
                                                   "id, body"));
  EXPECT_THAT(refused("id,text\n1,a\n2\n"),
              HasSubstr("t.csv:3: has 1 fields, expected at least 2"));
  EXPECT_THAT(refused("text\n\"a\nb\"\n\"open\n"),
              HasSubstr("t.csv:4: a quoted field is not closed"));
  EXPECT_THAT(refused("text\n\"a\"b\n"), HasSubstr("t.csv:2: field 1 goes on behind"));
  EXPECT_THAT(refused("text\na\n\"\xff\"\n"),
              HasSubstr("t.csv:3: byte 0 of the field is not valid"));
  EXPECT_THAT(refused(""), HasSubstr("t.csv: is empty"));
  EXPECT_THAT(refused("text,id,text\na,1,b\n"),
              HasSubstr("t.csv:1: column \"text\" stands twice in the header, as fields 1 and 3. "
                        "Rename one, or choose another with --field"));
  EXPECT_EQ(all(write("t.csv", "id,text,id\n1,a,2\n"), {}), Documents{"a"});
  InvalidCounts counts;
  EXPECT_EQ(all(write("t.csv", "id,text\n1\n2,b\n3,\xff\n\"4\"x,c\n"),
                {.invalid = InvalidText::kSkip}, &counts),
            Documents{"b"});
  EXPECT_EQ(counts, (InvalidCounts{.skipped_text = 1, .skipped_records = 2}));
}

TEST_F(RecordTest, InvalidTextIsReplacedOrSkipped) {
  const std::string file = write("t.txt",
                                 "a\xff\xff"
                                 "b\nc\n\xE2\x82\nok\n");
  InvalidCounts counts;
  EXPECT_EQ(all(file, {.doc_sep = "line", .invalid = InvalidText::kReplace}, &counts),
            (Documents{"a\uFFFD\uFFFD"
                       "b",
                       "c", "\uFFFD", "ok"}));
  EXPECT_EQ(counts, (InvalidCounts{.replaced_parts = 3, .replaced_documents = 2}));
  EXPECT_EQ(all(file, {.doc_sep = "line", .invalid = InvalidText::kSkip}, &counts),
            (Documents{"c", "ok"}));
  EXPECT_EQ(counts, InvalidCounts{.skipped_text = 2});
}

TEST_F(RecordTest, LoneSurrogatesOfJson) {
  const std::string content =
      "{\"text\":\"a\\ud800b\"}\n{\"text\":\"\\ud83d\\ude00 \\\\ud800\"}\n"
      "{\"text\":\"\\udc00\\ud83d\"}\n{broken\n";
  const std::string file = write("t.jsonl", content);
  EXPECT_THAT(message([&] { all(file, {}); }), HasSubstr("t.jsonl:1: is not valid JSON at byte"));
  InvalidCounts counts;
  EXPECT_EQ(all(file, {.invalid = InvalidText::kSkip}, &counts), Documents{"\U0001F600 \\ud800"});
  EXPECT_EQ(counts, (InvalidCounts{.skipped_text = 2, .skipped_records = 1}));
  EXPECT_THAT(message([&] { all(file, {.invalid = InvalidText::kReplace}); }),
              HasSubstr("t.jsonl:4: is not valid JSON"));
  const std::string good =
      write("g.jsonl", content.substr(0, content.rfind("{broken")) + "{\"text\":\"\xff\"}\n");
  EXPECT_EQ(all(good, {.invalid = InvalidText::kReplace}, &counts),
            (Documents{"a\uFFFDb", "\U0001F600 \\ud800", "\uFFFD\uFFFD", "\uFFFD"}));
  EXPECT_EQ(counts, (InvalidCounts{.replaced_parts = 4, .replaced_documents = 3}));
}

TEST_F(RecordTest, WhatIsNoJsonIsNamed) {
  const auto refused = [&](const std::string& line) {
    const std::string file = write("t.jsonl", "{\"text\":\"a\"}\n" + line + "\n");
    return message([&] { all(file, {}); });
  };
  EXPECT_THAT(refused("{\"n\":1e999,\"text\":\"a\"}"),
              HasSubstr("t.jsonl:2: is not valid JSON at byte 10: found the number 1e999, expected "
                        "at most 1.8e308 in size"));
  EXPECT_THAT(refused("{\"n\":NaN,\"text\":\"a\"}"),
              HasSubstr("t.jsonl:2: is not valid JSON at byte 6: found NaN, expected a finite "
                        "number"));
  EXPECT_THAT(refused("{\"text\":\"a\\ud800\"}"),
              HasSubstr("found \\ud800 alone, half of a surrogate pair"));
}

TEST_F(RecordTest, NulBytesAreText) {
  const std::string content("a\0b\n", 4);
  EXPECT_EQ(read_as("t.txt", content, {.doc_sep = "line"}), Documents{std::string("a\0b", 3)});
  EXPECT_EQ(read_as("t.csv", "text\n" + content, {}), Documents{std::string("a\0b", 3)});
  EXPECT_EQ(read_as("t.jsonl", "{\"text\":\"a\\u0000b\"}\n", {}),
            Documents{std::string("a\0b", 3)});
}

TEST_F(RecordTest, IllFormedPartsAreMaximal) {
  // Examples of The Unicode Standard, tables 3-8 to 3-11, with U+FFFD written as ?.
  const std::pair<const char*, const char*> cases[] = {
      {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", "????????A"},
      {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", "????????A"},
      {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "?????A??B"},
      {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "????A"}};
  for (const auto& [bytes, expected] : cases) {
    std::string text = bytes;
    replace_invalid_utf8(text);
    std::string shown;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.substr(i, 3) == "\uFFFD") {
        shown += '?';
        i += 2;
      } else {
        shown += text[i];
      }
    }
    EXPECT_EQ(shown, expected);
  }
}

TEST_F(RecordTest, ReadersGoOnWhereAnotherStopped) {
  RandomStream random(3, RandomPurpose::kTest, 0);
  std::string jsonl, csv = "text,n\n", text;
  for (int i = 0; i < 400; ++i) {
    const std::string word(random.below(9000), static_cast<char>('a' + i % 26));
    jsonl += "{\"text\":\"" + word + "\"}\n" + (i % 5 == 0 ? "\n" : "");
    csv += "\"" + word + "\n\"," + std::to_string(i) + "\r\n";
    text += word + "\n--\n" + (i % 3 == 0 ? "\n\n\n" : "");
  }
  const std::pair<std::string, TextFormat> inputs[] = {
      {write("t.jsonl", jsonl), {}},
      {write("bom.jsonl", "\xEF\xBB\xBF" + jsonl), {}},
      {write("t.csv", csv), {}},
      {write("t.csv.gz", gzip(csv)), {}},
      {write("t.txt.zst", zstd(text)), {.doc_sep = "--"}},
      {write("t.txt", text), {.doc_sep = "--"}},
      {write("t.txt", text), {.doc_sep = "blank"}},
      {write("t.txt", text), {.doc_sep = "line"}}};
  for (const auto& [file, format] : inputs) {
    const Documents expected = all(file, format);
    Documents pieces;
    RecordPlace begin;
    std::string record, document;
    InvalidCounts counts;
    for (bool ended = false; !ended;) {
      const RecordInput input = open_records(file, format, begin);
      for (std::uint64_t n = 1 + random.below(60); n > 0 && !ended; --n) {
        record.clear();
        RecordPlace place;
        ended = !input.reader->next(record, place);
        if (!ended && input.parser->parse(record, place, document, counts)) {
          pieces.push_back(document);
        }
      }
      begin = input.reader->position();
    }
    EXPECT_EQ(pieces, expected) << file << " " << format.doc_sep;
  }
}

TEST_F(RecordTest, JsonArraysAreRefusedWithAWayOut) {
  for (const auto& [name, lines] :
       {std::pair("x.json", "x.jsonl"), std::pair("x.jsonl", "x.lines.jsonl")}) {
    for (const char* text : {"[{\"text\": \"a\"}]", " [\n{\"text\": \"a\"}\n]\n"}) {
      EXPECT_THAT(message([&] { read_as(name, text, {}); }),
                  HasSubstr("jq -c '.[]' " + path(name) + " > " + path(lines)));
    }
  }
  EXPECT_EQ(read_as("x.json", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n", {}), (Documents{"a", "b"}));
}

}  // namespace
}  // namespace pretrain
