#include "core/data/corpus/foreign/corpus_export.h"

#include "core/data/corpus/corpus_builder.h"
#include "tests/core/data/corpus/foreign/foreign_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;

class CorpusExportTest : public CorpusFixture {
 protected:
  std::string build(const std::string& text, const std::string& separator = "blank") const {
    BuildOptions options;
    options.output = path("c.h5");
    options.tokenizer = "byte";
    options.inputs = {write("in.txt", text)};
    options.format.doc_sep = separator;
    options.valid_fraction = 0;
    options.force = true;
    build_corpus(options);
    return options.output;
  }
  ExportOptions options(const std::string& format, const std::string& output) const {
    return {.format = format, .input = path("c.h5"), .output = path(output)};
  }
  std::string refusal(const ExportOptions& options, ExitCode code) const {
    return message([&] { export_corpus(options); }, code);
  }
};

TEST_F(CorpusExportTest, TextAndJsonlAreDecoded) {
  build("first\n\nsecond \xc3\xa9 \"line\"\nand more\n");
  const ExportResult result = export_corpus(options("text", "out.txt"));
  EXPECT_EQ(read(path("out.txt")), "first\n\nsecond \xc3\xa9 \"line\"\nand more\n");
  EXPECT_EQ(result.to_text(), concat("2 documents, 32 tokens in ", path("out.txt")));
  export_corpus(options("jsonl", "out.jsonl"));
  EXPECT_EQ(read(path("out.jsonl")),
            "{\"text\": \"first\"}\n{\"text\": \"second \xc3\xa9 \\\"line\\\"\\nand more\"}\n");
}

TEST_F(CorpusExportTest, TextGoesToTheStandardOutput) {
  build("first\n\nsecond\n");
  ExportOptions both = options("jsonl", "");
  both.output = "-";
  ::testing::internal::CaptureStdout();
  const ExportResult result = export_corpus(both);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "{\"text\": \"first\"}\n{\"text\": \"second\"}\n");
  EXPECT_EQ(result.to_text(), "2 documents, 13 tokens in standard output");
  EXPECT_FALSE(std::filesystem::exists("-"));
  for (const char* format : {"megatron", "nanogpt", "llmc"}) {
    both.format = format;
    EXPECT_THAT(refusal(both, ExitCode::kUsage),
                HasSubstr(concat("corpus export ", format,
                                 ": - is the standard output, which "
                                 "takes text or jsonl only")));
  }
}

TEST_F(CorpusExportTest, ASplitAlone) {
  make_corpus("c.h5", {{1}, {2, 3}, {4}}, 300, -1,
              {{"train", {{0, 1}, {2, 3}}}, {"valid", {{1, 2}}}});
  ExportOptions train = options("megatron", "m");
  train.split = "train";
  export_corpus(train);
  EXPECT_EQ(read(path("m.bin")), packed<std::uint16_t>({1, 4}));
  const MegatronParts expected = {.lengths = {1, 1}, .pointers = {0, 2}, .documents = {0, 1, 2}};
  EXPECT_EQ(read(path("m.idx")), expected.idx());
  ExportOptions valid = options("nanogpt", "folder");
  valid.split = "valid";
  EXPECT_EQ(export_corpus(valid).files, (std::vector<std::string>{path("folder") + "/val.bin"}));
  EXPECT_EQ(read(path("folder/val.bin")), packed<std::uint16_t>({2, 3}));
  valid.split = "test";
  valid.force = true;
  EXPECT_THAT(refusal(valid, ExitCode::kBadData), HasSubstr("has no split test"));
}

TEST_F(CorpusExportTest, WhatAFormatCannotHoldIsRefused) {
  make_corpus("c.h5", {{1, 40000}}, 50257);
  ExportOptions narrow = options("megatron", "m");
  narrow.dtype = "i16";
  EXPECT_THAT(refusal(narrow, ExitCode::kBadData),
              HasSubstr("c.h5: ids reach 40000, i16 holds at most 32767. Give a wider --dtype"));
  narrow.dtype = "u32";
  EXPECT_THAT(refusal(narrow, ExitCode::kUsage), HasSubstr("Megatron-LM has no files of u32"));
  narrow.format = "nanogpt";
  narrow.dtype = "i64";
  EXPECT_THAT(refusal(narrow, ExitCode::kUsage),
              HasSubstr("--dtype: nanogpt files are u16 or u32, got i64"));
  narrow.format = "text";
  EXPECT_THAT(refusal(narrow, ExitCode::kUsage), HasSubstr("--dtype: text files hold no ids"));
  narrow = options("nanogpt", "n");
  narrow.shard_tokens = 5;
  EXPECT_THAT(refusal(narrow, ExitCode::kUsage), HasSubstr("--shard-tokens: only llmc files"));
  EXPECT_THAT(refusal(options("parquet", "p"), ExitCode::kUsage),
              HasSubstr("parquet is no format to export. Formats: megatron, nanogpt, llmc, text"));
  make_corpus("c.h5", {{1, 70000}}, 80000);
  export_corpus(options("megatron", "w"));
  EXPECT_EQ(read(path("w.bin")), packed<std::int32_t>({1, 70000}));
}

TEST_F(CorpusExportTest, AllFilesOrNone) {
  make_corpus("c.h5", {{1}, {2}}, 300, -1, {{"train", {{0, 1}}}, {"valid", {{1, 2}}}});
  std::filesystem::create_directory(path("o"));
  write("o/val.bin", "mine");
  EXPECT_THAT(refusal(options("nanogpt", "o"), ExitCode::kCannotCreate),
              HasSubstr("o/val.bin: exists already. Choose another name or give --force"));
  EXPECT_FALSE(std::filesystem::exists(path("o/train.bin")));
  EXPECT_EQ(read(path("o/val.bin")), "mine");
}

TEST_F(CorpusExportTest, ADamagedCorpusIsNotExported) {
  const std::string corpus = make_corpus("c.h5", {{1, 2, 3, 4}});
  std::string content = read(corpus);
  content.back() = static_cast<char>(content.back() ^ 1);
  write("c.h5", content);
  EXPECT_THAT(refusal(options("nanogpt", "o"), ExitCode::kBadData),
              HasSubstr("differs from its manifest"));
}

TEST_F(CorpusExportTest, BytesThatAreNoTextAreCounted) {
  build("\xc3\xa9");
  std::filesystem::copy(path("c.tokenizer.json"), path("keep.json"));
  const std::string sha = Corpus::open(path("c.h5"), CorpusVerification::kFull)->tokenizer_sha256();
  CorpusWriter writer(path("c.h5"), {257, 256, sha, "test"}, true);
  writer.add_document(std::vector<std::uint32_t>{'a', 0xff}, 2);
  writer.finish({{"train", {{0, 1}}}}, read(path("keep.json")), {});
  const ExportResult result = export_corpus(options("jsonl", "o.jsonl"));
  EXPECT_EQ(result.replaced_documents, 1u);
  EXPECT_EQ(read(path("o.jsonl")), "{\"text\": \"a\uFFFD\"}\n");
}

}  // namespace
}  // namespace pretrain
