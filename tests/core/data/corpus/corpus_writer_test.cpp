#include "core/data/corpus/corpus_writer.h"

#include <hdf5.h>
#include <sys/resource.h>

#include <csignal>

#include "core/base/digest.h"
#include "core/data/corpus/corpus_probe.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using Strings = std::vector<std::string>;

class CorpusWriterTest : public CorpusFixture {
 protected:
  // Runs `act` while no file may grow beyond `bytes`, as on a full disk.
  static std::string with_file_limit(rlim_t bytes, const std::function<void()>& act) {
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const std::string said = message(act, ExitCode::kCannotCreate);
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    return said;
  }
};

TEST_F(CorpusWriterTest, WritesThreeFilesInTheLayout) {
  make_corpus("a.h5", {{1, 2, 3}, {4}, {5, 6}}, 300, 299,
              {{"train", {{0, 2}}}, {"valid", {{2, 3}}}, {"test", {}}});
  EXPECT_EQ(files(), (Strings{"a.h5", "a.manifest.json", "a.tokenizer.json"}));
  EXPECT_EQ(read(path("a.tokenizer.json")), "{}\n");

  const CorpusTable table = probe_corpus(path("a.h5"));
  const CorpusAttributes expected = {.version = 1,
                                     .dtype = "u16",
                                     .tokenizer_sha256 = "test",
                                     .created_by = "test",
                                     .vocab_size = 300,
                                     .max_id = 299,
                                     .documents = 3,
                                     .tokens = 9,
                                     .bytes = 6,
                                     .eos_id = 299};
  EXPECT_EQ(table.attributes, expected);
  Strings names;
  for (const auto& [name, entry] : table.datasets) names.push_back(name);
  EXPECT_EQ(names,
            (Strings{"/doc_bytes", "/doc_offsets", "/splits/train", "/splits/valid", "/tokens"}));

  // What HDF5 reads is what was written, and lies where the manifest says.
  const hid_t file = H5Fopen(path("a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t tokens = H5Dopen2(file, "/tokens", H5P_DEFAULT);
  std::vector<std::uint16_t> ids(9);
  EXPECT_GE(H5Dread(tokens, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, ids.data()), 0);
  EXPECT_EQ(ids, (std::vector<std::uint16_t>{1, 2, 3, 299, 4, 299, 5, 6, 299}));
  H5Dclose(tokens);
  H5Fclose(file);
  const CorpusManifest manifest = read_manifest(path("a.h5"));
  const std::string content = read(path("a.h5"));
  EXPECT_EQ(manifest.sha256, sha256_hex(content));
  EXPECT_EQ(manifest.file, "a.h5");
  for (const auto& [name, entry] : manifest.table.datasets) {
    EXPECT_EQ(entry.sha256, sha256_hex(content.substr(entry.offset, entry.bytes))) << name;
    EXPECT_EQ(entry.offset, table.datasets.at(name).offset) << name;
  }
}

TEST_F(CorpusWriterTest, BytesDependOnTheArgumentsAlone) {
  make_corpus("a.h5", {{1, 2, 3}, {4}});
  std::filesystem::create_directory(path("other"));
  make_corpus("other/a.h5", {{1, 2, 3}, {4}});
  for (const char* name : {"a.h5", "a.manifest.json"}) {
    EXPECT_EQ(read(path(name)), read(path(concat("other/", name)))) << name;
  }
}

TEST_F(CorpusWriterTest, LargeVocabulariesTakeFourBytes) {
  make_corpus("a.h5", {{65536, 4000000000u}}, 4294967295u);
  const auto corpus = Corpus::open(path("a.h5"), CorpusVerification::kFull);
  EXPECT_EQ(corpus->attributes().dtype, "u32");
  std::vector<std::int64_t> ids(2);
  corpus->read_tokens(0, ids);
  EXPECT_EQ(ids, (std::vector<std::int64_t>{65536, 4000000000}));
  make_corpus("b.h5", {{65535}}, 65536);
  EXPECT_EQ(Corpus::open(path("b.h5"), CorpusVerification::kFull)->attributes().dtype, "u16");
}

TEST_F(CorpusWriterTest, PiecesSourcesAndUnknownBytes) {
  CorpusWriter writer(path("a.h5"),
                      {.vocab_size = 10,
                       .eos_id = 9,
                       .tokenizer_sha256 = "",
                       .created_by = "",
                       .append_eos = false,
                       .document_bytes = false,
                       .sources = {"books", "web \xff"}},
                      false);
  const std::vector<std::uint32_t> ids = {1, 2, 9};
  writer.append(std::span(ids).first(1));
  writer.append(std::span(ids).subspan(1));
  writer.end_document(0, 1);
  writer.add_document(ids, 0);
  writer.finish({{"train", {{0, 2}}}}, "", {});
  EXPECT_EQ(files(), (Strings{"a.h5", "a.manifest.json"}));

  const auto corpus = Corpus::open(path("a.h5"), CorpusVerification::kFull);
  EXPECT_FALSE(corpus->has_document_bytes());
  EXPECT_EQ(corpus->documents(), 2u);
  std::vector<std::int64_t> read_back(6);
  corpus->read_tokens(0, read_back);
  EXPECT_EQ(read_back, (std::vector<std::int64_t>{1, 2, 9, 1, 2, 9}));
  const CorpusTable table = probe_corpus(path("a.h5"));
  EXPECT_EQ(table.attributes.sources, (Strings{"books", "web \uFFFD"}));
  EXPECT_EQ(corpus->attributes(), table.attributes);
  const DatasetEntry& source = table.datasets.at("/doc_source");
  EXPECT_EQ(read(path("a.h5")).substr(source.offset, source.bytes), std::string("\1\0\0\0", 4));
}

TEST_F(CorpusWriterTest, NamesOfSourcesMustFit) {
  const CorpusHeader many = {
      .vocab_size = 10, .tokenizer_sha256 = "", .created_by = "", .sources = {70000, "a"}};
  EXPECT_THAT(message([&] { CorpusWriter(path("a.h5"), many, false); }, ExitCode::kUsage),
              HasSubstr("70000 sources"));
}

TEST_F(CorpusWriterTest, AnOldTokenizerDoesNotOutliveItsCorpus) {
  make_corpus("a.h5", {{1}});
  CorpusWriter writer(path("a.h5"), {.vocab_size = 10, .tokenizer_sha256 = "", .created_by = ""},
                      true);
  writer.add_document(std::vector<std::uint32_t>{1}, 1);
  writer.finish({{"train", {{0, 1}}}}, "", {});
  EXPECT_EQ(files(), (Strings{"a.h5", "a.manifest.json"}));
}

TEST_F(CorpusWriterTest, KeepsWhatIsThereWithoutForce) {
  write("a.h5", "mine");
  EXPECT_THAT(message(
                  [&] {
                    CorpusWriter w(path("a.h5"), {257, -1, "", ""}, false);
                  },
                  ExitCode::kCannotCreate),
              HasSubstr("a.h5: exists already. Choose another name or give --force"));
  std::filesystem::remove(path("a.h5"));
  write("a.tokenizer.json", "mine");
  EXPECT_THAT(message([&] { check_corpus_output(path("a.h5"), false); }, ExitCode::kCannotCreate),
              HasSubstr("a.tokenizer.json: exists"));
  EXPECT_THAT(message([&] { check_corpus_output(path("a.txt"), true); }, ExitCode::kUsage),
              HasSubstr("Add .h5"));
  make_corpus("a.h5", {{1}});  // with force
  EXPECT_NO_THROW(Corpus::open(path("a.h5"), CorpusVerification::kFull));
}

TEST_F(CorpusWriterTest, RefusesBadDocuments) {
  CorpusWriter writer(path("a.h5"), {257, -1, "", ""}, false);
  const std::vector<std::uint32_t> ids = {1, 257};
  EXPECT_THAT(message([&] { writer.add_document(ids, 2); }),
              HasSubstr("token id 257 in document 0, expected less than vocab_size 257"));
  EXPECT_THAT(message([&] { writer.add_document({}, std::uint64_t{1} << 32); }),
              HasSubstr("at most 4294967295"));
  EXPECT_THAT(message([&] { writer.finish({}, "", {}); }), HasSubstr("would be empty"));
  writer.add_document({}, 5);
  EXPECT_THAT(message([&] {
                writer.finish({{"train", {{0, 1}}}}, "", {});
              }),
              HasSubstr("would be empty"));
}

TEST_F(CorpusWriterTest, AFullDiskLeavesNothingBehind) {
  const std::vector<std::uint32_t> ids(3000000, 7);  // 6 MB of tokens
  const std::map<std::string, std::vector<DocumentRange>> splits = {{"train", {{0, 1}}}};
  // The spool of the tokens does not fit; then the spool fits and the corpus does not.
  for (const rlim_t limit : {rlim_t{1000000}, rlim_t{6000000}}) {
    const std::string said = with_file_limit(limit, [&] {
      CorpusWriter writer(path("a.h5"), {257, -1, "", ""}, false);
      writer.add_document(ids, ids.size());
      writer.finish(splits, "{}", {});
    });
    EXPECT_THAT(said, HasSubstr(path("tmp-a.h5-"))) << limit;
    EXPECT_TRUE(files().empty()) << limit;
  }
  // An existing corpus survives the failure to replace it.
  make_corpus("a.h5", {{1, 2, 3}});
  const std::string before = read(path("a.h5"));
  with_file_limit(6000000, [&] {
    CorpusWriter writer(path("a.h5"), {257, -1, "", ""}, true);
    writer.add_document(ids, ids.size());
    writer.finish(splits, "{}", {});
  });
  EXPECT_EQ(read(path("a.h5")), before);
  EXPECT_NO_THROW(Corpus::open(path("a.h5"), CorpusVerification::kFull));
}

TEST_F(CorpusWriterTest, ACallbackThatThrowsLeavesNothingBehind) {
  const std::vector<std::uint32_t> ids(1000, 7);
  for (const char* phase : {"writing", "digesting"}) {
    std::optional<CorpusWriter> writer;
    writer.emplace(path("a.h5"), CorpusHeader{257, -1, "", ""}, false);
    writer->add_document(ids, 5);
    const auto stop = [&](const Progress& progress) {
      if (std::string(progress.phase) == phase) throw Error(ExitCode::kStopped, "stop");
    };
    EXPECT_EQ(message(
                  [&] {
                    writer->finish({{"train", {{0, 1}}}}, "{}", stop);
                  },
                  ExitCode::kStopped),
              "stop");
    EXPECT_EQ(files(), Strings{"a.h5.build"});  // held until the writer goes
    writer.reset();
    EXPECT_TRUE(files().empty());
  }
}

}  // namespace
}  // namespace pretrain
