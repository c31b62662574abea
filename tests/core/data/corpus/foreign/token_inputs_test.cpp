#include "core/data/corpus/foreign/token_inputs.h"

#include "tests/core/data/corpus/foreign/foreign_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;

class TokenInputsTest : public CorpusFixture {};

TEST_F(TokenInputsTest, FilesGlobsAndPrefixes) {
  for (const char* name : {"s_000002.bin", "s_000001.bin", "other.bin"}) write(name, "x");
  EXPECT_EQ(
      token_inputs("llmc", {path("s_*.bin"), path("other.bin")}, "valid"),
      (TokenInputs{{"valid", {path("s_000001.bin"), path("s_000002.bin"), path("other.bin")}}}));
  EXPECT_EQ(token_inputs("megatron", {"a.bin", "b.idx", "c"}, "train"),
            (TokenInputs{{"train", {"a", "b", "c"}}}));
  EXPECT_THAT(message([&] { token_inputs("llmc", {path("no*.bin")}, "train"); }),
              HasSubstr("no*.bin: no file has such a name"));
  EXPECT_THAT(message([&] { token_inputs("parquet", {"a"}, "train"); }, ExitCode::kUsage),
              HasSubstr("parquet is no format of token files"));
  write("odd[1]?.bin", "x");  // a file wins over a pattern
  EXPECT_EQ(token_inputs("llmc", {path("odd[1]?.bin")}, "t")[0].second[0], path("odd[1]?.bin"));
}

TEST_F(TokenInputsTest, FilesOfAFolderNameTheirSplit) {
  for (const char* name : {"web_val_000000.bin", "web_train_000002.bin", "web_train_000001.bin",
                           "meta.pkl", "test.bin"}) {
    write(name, "x");
  }
  const std::string folder = path("");
  const TokenInputs found = token_inputs("llmc", {folder}, "ignored");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].first, "train");
  ASSERT_EQ(found[0].second.size(), 2u);
  EXPECT_THAT(found[0].second[0], HasSubstr("web_train_000001.bin"));
  EXPECT_EQ(found[1].first, "valid");
  EXPECT_EQ(found[2].first, "test");
  write("trained.bin", "x");
  EXPECT_THAT(message([&] { token_inputs("nanogpt", {folder}, "x"); }),
              HasSubstr("trained.bin: names no split"));
  EXPECT_THAT(message(
                  [&] {
                    token_inputs("nanogpt", {folder, "a.bin"}, "x");
                  },
                  ExitCode::kUsage),
              HasSubstr("a folder is imported by itself"));
  std::filesystem::create_directory(path("empty"));
  EXPECT_THAT(message([&] { token_inputs("nanogpt", {path("empty")}, "x"); }),
              HasSubstr("holds no .bin file"));
}

}  // namespace
}  // namespace pretrain
