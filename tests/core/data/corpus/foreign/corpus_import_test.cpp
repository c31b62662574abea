#include "core/data/corpus/foreign/corpus_import.h"

#include "core/data/corpus/corpus_verify.h"
#include "core/data/corpus/foreign/corpus_export.h"
#include "tests/core/data/corpus/foreign/foreign_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;

class CorpusImportTest : public CorpusFixture {
 protected:
  ImportOptions options(const std::string& format, const std::vector<std::string>& inputs) const {
    ImportOptions options;
    options.format = format;
    for (const std::string& input : inputs) options.inputs.push_back(path(input));
    options.output = path("c.h5");
    options.vocab_size = 50257;
    options.force = true;
    return options;
  }
  std::vector<std::vector<std::int64_t>> documents() const {
    const auto corpus = Corpus::open(path("c.h5"), CorpusVerification::kFull);
    std::vector<std::vector<std::int64_t>> all;
    for (std::uint64_t d = 0; d < corpus->documents(); ++d) {
      auto& ids = all.emplace_back(corpus->document_begin(d + 1) - corpus->document_begin(d));
      corpus->read_tokens(corpus->document_begin(d), ids);
    }
    return all;
  }
  void export_to(const std::string& format, const std::string& output,
                 const std::string& dtype = "", std::uint64_t shard_tokens = 0) const {
    export_corpus({.format = format,
                   .input = path("c.h5"),
                   .output = path(output),
                   .dtype = dtype,
                   .shard_tokens = shard_tokens,
                   .force = true});
  }
  std::string shard(const std::string& ids) const {
    std::vector<std::int32_t> fields(256, 0);
    fields[0] = 20240520;
    fields[1] = 1;
    fields[2] = static_cast<std::int32_t>(ids.size() / 2);
    return packed(fields) + ids;
  }
};

using Documents = std::vector<std::vector<std::int64_t>>;

TEST_F(CorpusImportTest, MegatronDocumentsWithoutTokensAreDroppedAndCounted) {
  MegatronParts parts = small_megatron();
  parts.modes = {0, 1, 0};
  write("m.idx", parts.idx());
  write("m.bin", small_megatron_bin());
  const ImportResult result = import_corpus(options("megatron", {"m.bin"}));
  EXPECT_EQ(documents(), (Documents{{1, 2, 3}, {4}}));
  EXPECT_EQ(result.empty_documents, 1u);
  EXPECT_EQ(result.to_text().substr(path("c.h5").size()),
            concat(": 2 documents, 4 tokens (u16, vocab_size 50257, max_id 4, eos_id -1), ",
                   "5.7 KiB; train 2 documents, 4 tokens; 1 empty documents dropped; the modes of "
                   "1 sequences are not kept; bytes not counted: no bits per byte"));
  EXPECT_EQ(files(), (std::vector<std::string>{"c.h5", "c.manifest.json", "m.bin", "m.idx"}));
  EXPECT_TRUE(verify_corpus(path("c.h5"), true).ok());
}

TEST_F(CorpusImportTest, TheEndTokenIsRecordedIfEveryDocumentHasIt) {
  ImportOptions ending = options("nanogpt", {"n.bin"});
  ending.eos_id = 9;
  write("n.bin", packed<std::uint16_t>({1, 9, 2, 3, 9}));
  EXPECT_EQ(import_corpus(ending).manifest.table.attributes.eos_id, 9);
  EXPECT_EQ(documents(), (Documents{{1, 9}, {2, 3, 9}}));
  write("n.bin", packed<std::uint16_t>({1, 9, 2, 3}));
  EXPECT_EQ(import_corpus(ending).manifest.table.attributes.eos_id, -1);
  EXPECT_EQ(documents(), (Documents{{1, 9}, {2, 3}}));
}

TEST_F(CorpusImportTest, ATokenizerCountsBytesByDecoding) {
  write("n.bin", packed<std::uint16_t>({'a', 0xc3, 0xa9, 256, 'b', 256}));
  ImportOptions with = options("nanogpt", {"n.bin"});
  with.vocab_size = 0;
  with.tokenizer = "byte";
  const ImportResult result = import_corpus(with);
  const auto corpus = Corpus::open(path("c.h5"), CorpusVerification::kFull);
  ASSERT_TRUE(corpus->has_document_bytes());
  EXPECT_EQ(corpus->document_bytes(0), 3u);
  EXPECT_EQ(corpus->document_bytes(1), 1u);
  EXPECT_EQ(corpus->eos_id(), 256);
  EXPECT_EQ(corpus->vocab_size(), 257);
  EXPECT_NE(corpus->load_tokenizer(), nullptr);
  write("n.bin", packed<std::uint16_t>({'a', 257}));
  EXPECT_THAT(message([&] { import_corpus(with); }),
              HasSubstr("n.bin: byte 2: token id 257, expected 0 to 256"));
  EXPECT_EQ(corpus->document_bytes(1), 1u) << "the old corpus is as it was";
}

TEST_F(CorpusImportTest, NanogptAndLlmcComeBackBitForBit) {
  std::vector<std::uint16_t> ids(3000);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<std::uint16_t>(i * 2654435761u % 40);
  }
  std::filesystem::create_directory(path("in"));
  write("in/train.bin", packed(ids));
  write("in/val.bin", packed<std::uint16_t>({7, 8, 9}));
  ImportOptions folder = options("nanogpt", {"in"});
  folder.eos_id = 3;
  const ImportResult result = import_corpus(folder);
  ASSERT_EQ(result.splits.size(), 2u);
  EXPECT_EQ(result.splits[1].name, "valid");
  EXPECT_EQ(result.splits[1].tokens, 3u);
  export_to("nanogpt", "out");
  for (const char* name : {"train.bin", "val.bin"}) {
    EXPECT_EQ(read(path(concat("out/", name))), read(path(concat("in/", name))));
  }
  export_to("nanogpt", "wide", "u32");
  const std::vector<std::uint32_t> wide(ids.begin(), ids.end());
  EXPECT_EQ(read(path("wide/train.bin")), packed(wide));

  const std::string bytes = packed(ids);
  std::filesystem::create_directory(path("shards"));
  write("shards/train_000001.bin", shard(bytes.substr(0, 4000)));
  write("shards/train_000002.bin", shard(bytes.substr(4000)));
  ImportOptions shards = options("llmc", {"shards/train_*.bin"});
  shards.eos_id = 3;
  import_corpus(shards);
  for (const auto& document : documents()) {
    EXPECT_EQ(std::count(document.begin() + 1, document.end(), 3), 0);
  }
  export_to("llmc", "back", "", 2000);
  for (const char* name : {"train_000001.bin", "train_000002.bin"}) {
    EXPECT_EQ(read(path(concat("back/", name))), read(path(concat("shards/", name))));
  }
  export_to("llmc", "one");
  EXPECT_EQ(read(path("one/train.bin")), shard(bytes));
}

TEST_F(CorpusImportTest, MegatronComesBackBitForBit) {
  for (const auto& [type, name, width] :
       {std::tuple{8, "u16", 2}, {4, "i32", 4}, {5, "i64", 8}, {3, "i16", 2}}) {
    MegatronParts parts;
    parts.type = static_cast<std::uint8_t>(type);
    std::string bin;
    for (std::int32_t s = 0; s < 500; ++s) {
      parts.documents.push_back(s);
      parts.lengths.push_back(1 + s * 7 % 90);
      parts.pointers.push_back(static_cast<std::int64_t>(bin.size()));
      for (std::int32_t i = 0; i < parts.lengths.back(); ++i) {
        const std::int64_t id = s * 31 + i;
        bin += packed<std::int64_t>({id}).substr(0, static_cast<std::size_t>(width));
      }
    }
    parts.documents.push_back(500);
    write("m.idx", parts.idx());
    write("m.bin", bin);
    import_corpus(options("megatron", {"m"}));
    export_to("megatron", "back", name);
    EXPECT_TRUE(read(path("back.bin")) == bin) << name;
    EXPECT_TRUE(read(path("back.idx")) == parts.idx()) << name;
  }
}

TEST_F(CorpusImportTest, SeveralMegatronFilesAreJoined) {
  write("m.idx", small_megatron().idx());
  write("m.bin", small_megatron_bin());
  import_corpus(options("megatron", {"m", "m.idx"}));
  EXPECT_EQ(documents(), (Documents{{1, 2, 3}, {4}, {1, 2, 3}, {4}}));
}

TEST_F(CorpusImportTest, WrongWordsAreRefusedBeforeAnythingIsRead) {
  const auto refusal = [&](const std::function<void(ImportOptions&)>& edit) {
    ImportOptions o = options("nanogpt", {"n.bin"});
    edit(o);
    return message([&] { import_corpus(o); }, ExitCode::kUsage);
  };
  write("n.bin", packed<std::uint16_t>({1}));
  const char* one_of = "expected one of --tokenizer T, which also counts bytes, and --vocab-size N";
  EXPECT_THAT(refusal([](ImportOptions& o) { o.tokenizer = "byte"; }), HasSubstr(one_of));
  EXPECT_THAT(refusal([](ImportOptions& o) { o.vocab_size = 0; }), HasSubstr(one_of));
  EXPECT_THAT(refusal([](ImportOptions& o) { o.vocab_size = (std::uint64_t{1} << 32) + 1; }),
              HasSubstr("--vocab-size: expected 1 to 4294967296"));
  EXPECT_THAT(refusal([](ImportOptions& o) { o.dtype = "i32"; }),
              HasSubstr("--dtype: nanoGPT files are u16 or u32, got i32"));
  EXPECT_THAT(refusal([](ImportOptions& o) { o.eos_id = 50257; }),
              HasSubstr("--eos-id: expected -1 (none) to 50256, got 50257"));
  EXPECT_THAT(refusal([](ImportOptions& o) { o.split = "a/b"; }), HasSubstr("--split: a/b"));
}

TEST_F(CorpusImportTest, NothingIsLeftOfAnImportWithoutTokens) {
  write("m.idx", MegatronParts{.documents = {0}}.idx());
  write("m.bin", "");
  EXPECT_THAT(message([&] { import_corpus(options("megatron", {"m"})); }),
              HasSubstr("c.h5: the corpus would be empty"));
  EXPECT_EQ(files(), (std::vector<std::string>{"m.bin", "m.idx"}));
}

}  // namespace
}  // namespace pretrain
