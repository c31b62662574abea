#include "core/data/corpus/foreign/megatron_index.h"

#include "tests/core/data/corpus/foreign/foreign_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class MegatronIndexTest : public CorpusFixture {
 protected:
  std::string write_pair(const std::string& idx, const std::string& bin = small_megatron_bin()) {
    write("m.idx", idx);
    write("m.bin", bin);
    return path("m");
  }
  std::string refusal(const std::string& idx, const std::string& bin = small_megatron_bin()) {
    const std::string prefix = write_pair(idx, bin);
    return message([&] { MegatronIndex index(prefix); });
  }
  std::string refusal(const MegatronParts& parts) { return refusal(parts.idx()); }
};

TEST_F(MegatronIndexTest, ReadsSequencesAndDocuments) {
  const std::string prefix = write_pair(small_megatron().idx());
  const MegatronIndex index(prefix);
  EXPECT_EQ(index.sequences(), 3u);
  EXPECT_EQ(index.documents(), 3u);
  EXPECT_EQ(index.tokens(), 4u);
  EXPECT_EQ(index.other_modes(), 0u);
  DocumentList list;
  read_megatron(prefix, index, 5, list, {});
  EXPECT_EQ(list.documents, (std::vector<std::vector<std::uint32_t>>{{1, 2, 3}, {4}, {}}));
}

TEST_F(MegatronIndexTest, ReadsEveryTypeAndModes) {
  MegatronParts parts = small_megatron();
  parts.modes = {0, 1, 1};
  EXPECT_EQ(MegatronIndex(write_pair(parts.idx())).other_modes(), 2u);
  const auto read = [&](std::uint8_t code, std::int64_t width, const std::string& bin) {
    MegatronParts wide = small_megatron();
    wide.type = code;
    wide.pointers = {0, 2 * width, 3 * width};
    const std::string prefix = write_pair(wide.idx(), bin);
    DocumentList list;
    read_megatron(prefix, MegatronIndex(prefix), 5, list, {});
    return list.documents;
  };
  const std::vector<std::vector<std::uint32_t>> expected = {{1, 2, 3}, {4}, {}};
  EXPECT_EQ(read(3, 2, packed<std::int16_t>({1, 2, 3, 4})), expected);
  EXPECT_EQ(read(4, 4, packed<std::int32_t>({1, 2, 3, 4})), expected);
  EXPECT_EQ(read(5, 8, packed<std::int64_t>({1, 2, 3, 4})), expected);
}

TEST_F(MegatronIndexTest, DocumentsLargerThanAPieceComeWhole) {
  constexpr std::int32_t kLong = 5'000'000;
  std::vector<std::uint16_t> tokens(kLong + 3);
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<std::uint16_t>(i % 1009);
  const MegatronParts parts = {
      .lengths = {1, kLong, 2}, .pointers = {0, 2, 2 + 2 * kLong}, .documents = {0, 1, 2, 3}};
  const std::string prefix = write_pair(parts.idx(), packed(tokens));
  DocumentList list;
  read_megatron(prefix, MegatronIndex(prefix), 1009, list, {});
  ASSERT_EQ(list.documents.size(), 3u);
  std::vector<std::uint32_t> joined;
  for (const auto& d : list.documents) joined.insert(joined.end(), d.begin(), d.end());
  EXPECT_EQ(list.documents[1].size(), static_cast<std::size_t>(kLong));
  EXPECT_TRUE(std::equal(joined.begin(), joined.end(), tokens.begin(), tokens.end()));
}

TEST_F(MegatronIndexTest, EachHeaderFieldWrongOnceIsNamed) {
  const std::string good = small_megatron().idx();
  EXPECT_THAT(refusal(patched(good, 0, 'X')),
              StartsWith(path("m.idx") + ": byte 0: is no Megatron-LM index"));
  EXPECT_THAT(refusal(patched(good, 7, 'X')), HasSubstr("byte 0: is no Megatron-LM index"));
  EXPECT_THAT(refusal(patched(good, 9, std::uint64_t{2})),
              HasSubstr("m.idx: byte 9: version 2, expected 1. Copy or write the file again"));
  for (const int wrong : {0, 1, 2, 6, 7, 9, 255}) {
    const auto code = static_cast<std::uint8_t>(wrong);
    EXPECT_THAT(refusal(patched(good, 17, code)),
                HasSubstr(concat("m.idx: byte 17: token type ", int{code}, ", expected 8 (u16)")));
  }
  EXPECT_THAT(refusal(patched(good, 18, std::uint64_t{4})), HasSubstr("4 sequences (byte 18)"));
  EXPECT_THAT(refusal(patched(good, 18, UINT64_MAX)),
              HasSubstr("byte 18: 18446744073709551615 sequences do not fit"));
  EXPECT_THAT(refusal(patched(good, 26, std::uint64_t{5})), HasSubstr("(byte 26) take"));
  EXPECT_THAT(refusal(patched(good, 26, std::uint64_t{0})),
              HasSubstr("byte 26: 0 entries of the document index, expected 1 to"));
  EXPECT_THAT(refusal(patched(good, 26, UINT64_MAX)), HasSubstr("byte 26: 18446744073709551615"));
}

TEST_F(MegatronIndexTest, EverySizeOfTheIndexButTheRightOneIsRefused) {
  const std::string good = small_megatron().idx();
  for (std::size_t bytes = 1; bytes < good.size(); ++bytes) {
    EXPECT_NE(refusal(good.substr(0, bytes)), "no error") << bytes;
  }
  for (std::size_t more = 1; more < 9; ++more) {
    const std::string said = refusal(good + std::string(more, '\0'));
    EXPECT_EQ(said == "no error", more == 3) << more << said;  // three modes
  }
}

TEST_F(MegatronIndexTest, WrongLengthsPointersAndEntriesAreNamed) {
  MegatronParts parts = small_megatron();
  parts.lengths = {2, -1, 1};
  EXPECT_THAT(refusal(parts), HasSubstr("m.idx: byte 38: sequence 1 has the length -1"));
  parts.lengths = {2, INT32_MAX, 1};
  EXPECT_THAT(refusal(parts),
              HasSubstr("byte 38: sequence 1 of 2147483647 tokens ends at byte 4294967298 of "));
  parts.lengths = {1, 1, 1};
  EXPECT_THAT(refusal(parts), HasSubstr("byte 54: the pointer of sequence 1 is 4, expected 2"));
  parts.lengths = {2, 1, 0};
  EXPECT_THAT(refusal(parts), HasSubstr("m.bin: has 8 bytes, the sequences in "));

  parts = small_megatron();
  parts.pointers = {0, 6, 4};  // not monotone
  EXPECT_THAT(refusal(parts), HasSubstr("m.idx: byte 54: the pointer of sequence 1 is 6, expected "
                                        "4, where the one before ends"));
  parts.pointers = {0, 4, std::int64_t{1} << 62};
  EXPECT_THAT(refusal(parts),
              HasSubstr("byte 62: the pointer of sequence 2 is 4611686018427387904"));
  parts.pointers = {-2, 4, 6};
  EXPECT_THAT(refusal(parts), HasSubstr("byte 46: the pointer of sequence 0 is -2, expected 0"));

  parts = small_megatron();
  parts.documents = {1, 2, 3, 3};
  EXPECT_THAT(refusal(parts), HasSubstr("byte 70: entry 0 of the document index is 1, expected 0"));
  parts.documents = {0, 3, 2, 3};
  EXPECT_THAT(refusal(parts), HasSubstr("byte 86: entry 2 of the document index is 2, expected 3"));
  parts.documents = {0, 2, 3, 2};
  EXPECT_THAT(refusal(parts), HasSubstr("entry 3 of the document index is 2, expected 3 to 3"));
  parts.documents = {0, -1, 3, 3};
  EXPECT_THAT(refusal(parts), HasSubstr("entry 1 of the document index is -1"));
}

TEST_F(MegatronIndexTest, TheBinMustFit) {
  const std::string good = small_megatron().idx();
  for (std::size_t bytes = 1; bytes < 12; ++bytes) {
    if (bytes == 8) continue;
    EXPECT_THAT(refusal(good, std::string(bytes, '\0')), HasSubstr(concat(bytes, " bytes")));
  }
  std::filesystem::remove(path("m.bin"));
  EXPECT_THAT(message([&] { MegatronIndex index(path("m")); }), HasSubstr("m.bin: cannot open"));
}

TEST_F(MegatronIndexTest, PrefixesMayBeNamedByTheirFiles) {
  EXPECT_EQ(megatron_prefix("a/b.bin"), "a/b");
  EXPECT_EQ(megatron_prefix("a/b.idx"), "a/b");
  EXPECT_EQ(megatron_prefix("a/b_text_document"), "a/b_text_document");
}

}  // namespace
}  // namespace pretrain
