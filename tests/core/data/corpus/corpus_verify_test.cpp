#include "core/data/corpus/corpus_verify.h"

#include <hdf5.h>

#include "core/base/random.h"
#include "core/data/corpus/corpus_builder.h"
#include "core/data/corpus/inspect/corpus_info.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;

class CorpusVerifyTest : public CorpusFixture {
 protected:
  std::string build() const {
    write("t.txt", "first text\n\nsecond\n\nthird one here\n");
    BuildOptions options;
    options.output = path("a.h5");
    options.tokenizer = "byte";
    options.inputs = {path("t.txt")};
    options.force = true;
    build_corpus(options);
    return path("a.h5");
  }
  static std::string problems(const std::string& corpus, bool deep) {
    const VerifyReport report = verify_corpus(corpus, deep);
    EXPECT_EQ(report.ok(), report.problems.empty());
    return report.to_text();
  }
  // Changes one stored value through HDF5 itself.
  static void set_first(const std::string& corpus, const char* dataset, std::uint64_t value) {
    const hid_t file = H5Fopen(corpus.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t data = H5Dopen2(file, dataset, H5P_DEFAULT);
    const hsize_t one = 1;
    const hsize_t zero = 0;
    const hid_t memory = H5Screate_simple(1, &one, nullptr);
    const hid_t space = H5Dget_space(data);
    EXPECT_GE(H5Sselect_hyperslab(space, H5S_SELECT_SET, &zero, nullptr, &one, nullptr), 0);
    EXPECT_GE(H5Dwrite(data, H5T_NATIVE_UINT64, memory, space, H5P_DEFAULT, &value), 0);
    H5Sclose(space);
    H5Sclose(memory);
    H5Dclose(data);
    H5Fclose(file);
  }
};

TEST_F(CorpusVerifyTest, AGoodCorpusPasses) {
  const std::string corpus = build();
  EXPECT_THAT(problems(corpus, false), HasSubstr("one token block in 100"));
  EXPECT_THAT(problems(corpus, true), HasSubstr("every byte and token id"));
  // Verification needs neither the name it was built under nor the tokenizer beside it.
  std::filesystem::rename(path("a.h5"), path("b.h5"));
  std::filesystem::rename(path("a.manifest.json"), path("b.manifest.json"));
  EXPECT_THAT(problems(path("b.h5"), true), HasSubstr("ok: "));
}

TEST_F(CorpusVerifyTest, InfoShowsAttributesAndSplits) {
  const std::string corpus = build();
  const CorpusInfo info = corpus_info(corpus);
  EXPECT_EQ(info.table.attributes.documents, 3u);
  EXPECT_EQ(info.lengths.shortest(), 7u);
  EXPECT_EQ(info.lengths.longest(), 15u);
  EXPECT_EQ(info.splits.size(), 2u);
  EXPECT_EQ(info.splits[0].documents + info.splits[1].documents, 3u);
  EXPECT_EQ(info.splits[0].tokens + info.splits[1].tokens, 33u);
  for (const char* shown : {"33 of type u16, vocab_size 257", "eos_id 256", "3 of 7 to 15 tokens",
                            "split       train: 2 documents", "fingerprint "}) {
    EXPECT_THAT(info.to_text(), HasSubstr(shown));
  }
  std::filesystem::remove(path("a.manifest.json"));
  EXPECT_THAT(corpus_info(corpus).to_text(),
              HasSubstr("no manifest; write it: pretrain corpus verify --write-manifest"));
  write("a.h5", "no corpus");
  EXPECT_THAT(message([&] { corpus_info(corpus); }), HasSubstr("is no HDF5 file"));
}

TEST_F(CorpusVerifyTest, FaultsAreListed) {
  const std::string corpus = build();
  set_first(corpus, "/tokens", 'x');
  EXPECT_THAT(problems(corpus, false), HasSubstr("block 0 (from byte 0, "));
  EXPECT_THAT(problems(corpus, true), HasSubstr("/tokens differs from its manifest"));
  set_first(corpus, "/tokens", 300);
  EXPECT_THAT(problems(corpus, true), HasSubstr("token id 300 between positions 0 and 33"));
  build();
  set_first(corpus, "/doc_offsets", 1);
  EXPECT_THAT(problems(corpus, false), HasSubstr("/doc_offsets[0] is 1, expected 0 to 0"));
  build();
  write("a.tokenizer.json", "{}");
  EXPECT_THAT(problems(corpus, false), HasSubstr("no model in it"));
  build();
  write("a.manifest.json", read(path("a.manifest.json")) + " x");
  EXPECT_THAT(problems(corpus, false), HasSubstr("not valid JSON"));
  std::filesystem::remove(path("a.manifest.json"));
  EXPECT_THAT(message([&] { verify_corpus(corpus, true); }), HasSubstr("has no manifest"));
  EXPECT_THAT(message([&] { verify_corpus(path("none.h5"), true); }), HasSubstr("cannot open"));
}

TEST_F(CorpusVerifyTest, AManifestOfAnotherCorpusIsFound) {
  const std::string corpus = build();
  make_corpus("b.h5", {{1, 2, 3}});
  std::filesystem::rename(path("b.manifest.json"), path("a.manifest.json"));
  EXPECT_THAT(problems(corpus, false), HasSubstr("the attributes in the file differ"));
}

TEST_F(CorpusVerifyTest, DamageIsFoundWithoutACrash) {
  const std::string corpus = build();
  const std::string good = read(corpus);
  RandomStream random(13, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 200; ++trial) {
    std::string bad = good;
    const std::size_t at = random.below(bad.size());
    if (random.below(4) == 0) {
      bad.resize(at);
    } else {
      bad[at] = static_cast<char>(bad[at] + 1 + static_cast<int>(random.below(255)));
    }
    write("a.h5", bad);
    ASSERT_FALSE(verify_corpus(corpus, trial % 2 == 0).ok()) << "mutation " << trial;
    try {
      corpus_info(corpus);  // reads without digests: any answer but a crash
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadData);
    }
  }
}

TEST_F(CorpusVerifyTest, AFileOfAnotherProgramGetsAManifest) {
  const std::string corpus = build();
  const std::string fingerprint = corpus_info(corpus).fingerprint;
  // As another program would write it: only the attributes that must be there.
  const hid_t file = H5Fopen(corpus.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  for (const char* name : {"dtype", "created_by", "max_id", "documents", "tokens", "bytes"}) {
    EXPECT_GE(H5Adelete(file, name), 0);
  }
  H5Fclose(file);
  EXPECT_THAT(message([&] { write_manifest(corpus, false); }, ExitCode::kCannotCreate),
              HasSubstr("a.manifest.json: exists already"));
  const CorpusManifest manifest = write_manifest(corpus, true);
  EXPECT_EQ(manifest.table.attributes.max_id, 256u);
  EXPECT_EQ(manifest.table.attributes.bytes, 30u);
  EXPECT_EQ(manifest.fingerprint, fingerprint);  // the same corpus, whoever wrote it
  EXPECT_THAT(problems(corpus, true), HasSubstr("ok: "));
  const auto opened = Corpus::open(corpus, CorpusVerification::kFull);
  EXPECT_EQ(opened->tokens(), 33u);
  set_first(corpus, "/tokens", 257);
  EXPECT_THAT(message([&] { write_manifest(corpus, true); }), HasSubstr("token id 257"));
}

TEST_F(CorpusVerifyTest, AWrongLargestIdIsFound) {
  const std::string corpus = build();
  const std::uint64_t wrong = 255;
  const hid_t file = H5Fopen(corpus.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t attribute = H5Aopen(file, "max_id", H5P_DEFAULT);
  EXPECT_GE(H5Awrite(attribute, H5T_NATIVE_UINT64, &wrong), 0);
  H5Aclose(attribute);
  H5Fclose(file);
  EXPECT_THAT(message([&] { write_manifest(corpus, true); }),
              HasSubstr("attribute max_id is 255, the largest token id is 256"));
}

}  // namespace
}  // namespace pretrain
