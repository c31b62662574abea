#include "core/data/corpus/corpus_probe.h"

#include <hdf5.h>

#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Writes HDF5 files that are, or almost are, corpora.
class CorpusProbeTest : public CorpusFixture {
 protected:
  CorpusProbeTest() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

  void begin() {
    file_ = H5Fcreate(path("h.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ASSERT_GE(file_, 0);
  }
  // Closes the file and probes it.
  std::string end() {
    EXPECT_GE(H5Fclose(file_), 0);
    return message([&] { probe_corpus(path("h.h5")); });
  }

  void number(const char* name, std::int64_t value, hid_t type = H5T_STD_I64LE) {
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    EXPECT_GE(H5Awrite(attribute, H5T_NATIVE_INT64, &value), 0);
    H5Aclose(attribute);
    H5Sclose(space);
  }
  void text(const char* name, const std::string& value, std::size_t size = H5T_VARIABLE) {
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    const hid_t attribute = H5Acreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const char* pointer = value.c_str();
    std::string padded = value;
    if (size != H5T_VARIABLE) padded.resize(size);
    EXPECT_GE(H5Awrite(attribute, type,
                       size == H5T_VARIABLE ? static_cast<const void*>(&pointer) : padded.data()),
              0);
    H5Aclose(attribute);
    H5Tclose(type);
    H5Sclose(space);
  }
  void attributes() {
    text("format", "pretrain-corpus");
    number("version", 1);
    number("vocab_size", 300);
    number("eos_id", -1);
  }
  void dataset(const std::string& name, std::vector<hsize_t> shape, hid_t type,
               hid_t creation = H5P_DEFAULT, bool fill = true) {
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t data = H5Dcreate2(file_, name.c_str(), type, space, links, creation, H5P_DEFAULT);
    EXPECT_GE(data, 0) << name;
    if (fill) {
      std::vector<std::uint64_t> values(1000, 0);
      EXPECT_GE(H5Dwrite(data, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
    }
    H5Dclose(data);
    H5Pclose(links);
    H5Sclose(space);
  }
  void good_datasets(bool with_tokens = true) {
    if (with_tokens) dataset("/tokens", {10}, H5T_STD_U16LE);
    dataset("/doc_offsets", {2}, H5T_STD_U64LE);
    dataset("/splits/train", {1, 2}, H5T_STD_U64LE);
  }
  // A file that is good but for its tokens.
  std::string with_tokens(const std::function<void()>& make) {
    begin();
    attributes();
    good_datasets(false);
    make();
    return end();
  }
  std::string with_creation(const std::function<void(hid_t)>& edit, hid_t type = H5T_STD_U16LE,
                            std::vector<hsize_t> shape = {10}) {
    return with_tokens([&] {
      const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
      edit(creation);
      dataset("/tokens", shape, type, creation, false);
      H5Pclose(creation);
    });
  }

  hid_t file_ = -1;
};

TEST_F(CorpusProbeTest, ReadsFilesOfOtherPrograms) {
  begin();
  attributes();
  text("created_by", "someone", 7);
  number("tokens", 10, H5T_STD_U8BE);
  good_datasets();
  EXPECT_EQ(end(), "no error");
  const CorpusTable table = probe_corpus(path("h.h5"));
  EXPECT_EQ(table.attributes.vocab_size, 300u);
  EXPECT_EQ(table.attributes.eos_id, -1);
  EXPECT_EQ(table.attributes.tokens, 10u);
  EXPECT_EQ(table.attributes.created_by, "someone");
  EXPECT_EQ(table.datasets.at("/tokens").bytes, 20u);
  EXPECT_EQ(table.datasets.at("/splits/train").count, 2u);
}

TEST_F(CorpusProbeTest, AttributesMustBeThereAndFit) {
  const auto probed = [&](const std::function<void()>& make) {
    begin();
    make();
    good_datasets();
    return end();
  };
  EXPECT_THAT(probed([] {}), HasSubstr("h.h5: has no attribute format. Write the file again"));
  EXPECT_THAT(probed([&] { text("format", "other"); }), HasSubstr("format is not pretrain-corpus"));
  EXPECT_THAT(probed([&] { number("format", 1); }), HasSubstr("attribute format is no text"));
  EXPECT_THAT(probed([&] {
                text("format", "pretrain-corpus");
                text("version", "1");
              }),
              HasSubstr("attribute version is no whole number"));
  EXPECT_THAT(probed([&] {
                attributes();
                number("documents", -1);
              }),
              HasSubstr("attribute documents is no whole number >= 0"));
  EXPECT_THAT(probed([&] {
                attributes();
                number("bytes", 1, H5T_IEEE_F64LE);
              }),
              HasSubstr("attribute bytes is no whole number"));
  EXPECT_THAT(probed([&] {
                attributes();
                text("created_by", "x", 60000);
              }),
              HasSubstr("attribute created_by has 60000 bytes"));
  EXPECT_THAT(probed([&] {
                attributes();
                text("created_by", std::string(60000, 'x'));
              }),
              HasSubstr("attribute created_by is too long"));
}

TEST_F(CorpusProbeTest, RefusesLinksThatLeaveOrTurnInCircles) {
  EXPECT_THAT(with_tokens([&] {
                H5Lcreate_external("/etc/passwd", "/tokens", file_, "/tokens", H5P_DEFAULT,
                                   H5P_DEFAULT);
              }),
              HasSubstr("tokens in / is a soft or external link"));
  EXPECT_THAT(
      with_tokens([&] { H5Lcreate_soft("/tokens", file_, "/tokens", H5P_DEFAULT, H5P_DEFAULT); }),
      HasSubstr("tokens in / is a soft or external link"));
  EXPECT_THAT(with_tokens([&] {
                H5Lcreate_hard(file_, "/", file_, "/splits/loop", H5P_DEFAULT, H5P_DEFAULT);
              }),
              HasSubstr("dataset /splits/loop is missing or damaged"));
  EXPECT_THAT(
      with_tokens([&] { H5Lcreate_soft("/splits", file_, "/splits/a", H5P_DEFAULT, H5P_DEFAULT); }),
      HasSubstr("a in /splits is a soft or external link"));
  EXPECT_THAT(with_tokens([&] { dataset("/extra", {1}, H5T_STD_U16LE); }),
              HasSubstr("/extra is no part of a corpus"));
  EXPECT_THAT(with_tokens([&] {
                for (int i = 0; i < 70; ++i) {
                  H5Lcreate_soft("/x", file_, concat("/l", i).c_str(), H5P_DEFAULT, H5P_DEFAULT);
                }
              }),
              HasSubstr("/ has 72 members"));
}

TEST_F(CorpusProbeTest, RefusesDataThatAreNotPlainBytesOfTheFile) {
  EXPECT_THAT(with_creation([](hid_t c) { H5Pset_external(c, "/etc/passwd", 0, 20); }),
              HasSubstr("/tokens keeps its data in other files"));
  EXPECT_THAT(with_creation([](hid_t c) {
                const hsize_t n = 10;
                const hid_t space = H5Screate_simple(1, &n, nullptr);
                H5Pset_virtual(c, space, "/etc/passwd", "/tokens", space);
                H5Sclose(space);
              }),
              HasSubstr("/tokens is chunked, compact or virtual"));
  EXPECT_THAT(with_creation([](hid_t c) {
                const hsize_t chunk = 5;
                H5Pset_chunk(c, 1, &chunk);
                H5Pset_deflate(c, 1);
              }),
              HasSubstr("/tokens is chunked, compact or virtual"));
  EXPECT_THAT(with_creation([](hid_t c) { H5Pset_layout(c, H5D_COMPACT); }),
              HasSubstr("/tokens is chunked, compact or virtual"));
}

TEST_F(CorpusProbeTest, RefusesOtherTypesAndShapes) {
  const auto plain = [](hid_t) {};
  for (const hid_t type : {H5T_STD_U16BE, H5T_STD_I16LE, H5T_STD_U8LE, H5T_IEEE_F32LE}) {
    EXPECT_THAT(with_creation(plain, type), HasSubstr("/tokens has another type than u16"));
  }
  EXPECT_THAT(with_creation(plain, H5T_STD_U16LE, {5, 2}), HasSubstr("expected [n]"));
  EXPECT_THAT(with_tokens([&] { dataset("/splits/v", {3}, H5T_STD_U64LE); }),
              HasSubstr("/splits/v has another shape, expected [n][2]"));
  EXPECT_THAT(with_tokens([&] {
                dataset("/splits/v", {2, 3}, H5T_STD_U64LE);
              }),
              HasSubstr("/splits/v has another shape, expected [n][2]"));
  // 2^50 elements without data, and so many that their bytes overflow 64 bits.
  EXPECT_THAT(with_creation(plain, H5T_STD_U16LE, {hsize_t{1} << 50}),
              HasSubstr("/tokens has 1125899906842624 elements but no data"));
  EXPECT_THAT(with_creation([](hid_t c) { H5Pset_alloc_time(c, H5D_ALLOC_TIME_LATE); },
                            H5T_STD_U64LE, {hsize_t{1} << 60}),
              HasSubstr("/tokens has 1152921504606846976 elements but no data"));
}

TEST_F(CorpusProbeTest, RefusesWhatIsNoHdf5) {
  write("t.h5", "plain text, and long enough to look for a signature in it");
  EXPECT_THAT(message([&] { probe_corpus(path("t.h5")); }),
              StartsWith(path("t.h5") + ": is no HDF5 file"));
  write("e.h5", "");
  EXPECT_THAT(message([&] { probe_corpus(path("e.h5")); }), HasSubstr("is no HDF5 file"));
  EXPECT_THAT(message([&] { probe_corpus(path("none.h5")); }), HasSubstr("cannot open"));
}

TEST_F(CorpusProbeTest, AUserBlockIsRefused) {
  const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_userblock(creation, 512);
  file_ = H5Fcreate(path("h.h5").c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT);
  H5Pclose(creation);
  attributes();
  good_datasets();
  EXPECT_THAT(end(), HasSubstr("starts with a user block"));
}

}  // namespace
}  // namespace pretrain
