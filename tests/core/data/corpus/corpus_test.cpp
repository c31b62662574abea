#include "core/data/corpus/corpus.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "core/base/digest.h"
#include "core/base/random.h"
#include "core/text/tokenizer.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Ids = std::vector<std::int64_t>;

class CorpusTest : public CorpusFixture {
 protected:
  // A manifest that makes a bare file of `bytes` bytes a corpus: no digests.
  static CorpusManifest bare(std::uint64_t bytes, CorpusTable table) {
    CorpusManifest manifest;
    manifest.bytes = bytes;
    manifest.table = std::move(table);
    return manifest;
  }
  // A raw corpus of three one-token documents, laid out by hand.
  struct Raw {
    std::vector<std::uint16_t> tokens = {1, 2, 3, 0};
    std::vector<std::uint64_t> offsets = {0, 1, 2, 3};
    std::vector<std::uint64_t> train = {0, 2};
    std::vector<std::uint64_t> valid = {2, 3};
    CorpusAttributes attributes = {.version = 1,
                                   .dtype = "u16",
                                   .tokenizer_sha256 = "",
                                   .created_by = "",
                                   .vocab_size = 4,
                                   .max_id = 3,
                                   .documents = 3,
                                   .tokens = 3,
                                   .bytes = 0,
                                   .eos_id = -1};
  };
  Corpus open_raw(const Raw& raw) const {
    std::string content;
    CorpusTable table{.attributes = raw.attributes, .datasets = {}};
    const auto add = [&](const char* name, const auto& values, std::size_t count,
                         const char* dtype) {
      const std::size_t bytes = count * sizeof values[0];
      table.datasets[name] = {content.size(), bytes, count, dtype};
      content.append(reinterpret_cast<const char*>(values.data()), bytes);
    };
    add(kTokensPath, raw.tokens, 3, "u16");  // 6 bytes: all that follows is not aligned
    add(kDocOffsetsPath, raw.offsets, 4, "u64");
    add("/splits/train", raw.train, raw.train.size(), "u64");
    add("/splits/valid", raw.valid, raw.valid.size(), "u64");
    write("raw.h5", content);
    return Corpus(path("raw.h5"), bare(content.size(), table), CorpusVerification::kSizes, {});
  }
  std::string refused(const std::function<void(Raw&)>& edit) const {
    Raw raw;
    edit(raw);
    return message([&] { open_raw(raw).check_documents(); });
  }
};

TEST_F(CorpusTest, GivesBackWhatWasWritten) {
  make_corpus("a.h5", {{1, 2, 3}, {4}, {5, 6}}, 300, 299,
              {{"train", {{0, 1}, {2, 3}}}, {"valid", {{1, 2}}}});
  for (const CorpusVerification mode :
       {CorpusVerification::kAuto, CorpusVerification::kFull, CorpusVerification::kSizes}) {
    const auto corpus = Corpus::open(path("a.h5"), mode);
    EXPECT_EQ(corpus->path(), path("a.h5"));
    EXPECT_EQ(corpus->vocab_size(), 300);
    EXPECT_EQ(corpus->max_id(), 299);
    EXPECT_EQ(corpus->eos_id(), 299);
    EXPECT_EQ(corpus->documents(), 3u);
    EXPECT_EQ(corpus->tokens(), 9u);
    EXPECT_EQ(corpus->tokenizer_sha256(), "test");
    EXPECT_EQ(corpus->fingerprint().size(), 64u);
    EXPECT_EQ(corpus->splits(), (std::vector<std::string>{"train", "valid"}));
    EXPECT_THAT(corpus->split("train"), ElementsAre(DocumentRange{0, 1}, DocumentRange{2, 3}));
    EXPECT_EQ(corpus->split_sizes()[0].tokens, 7u);
    EXPECT_EQ(corpus->document_begin(2), 6u);
    EXPECT_EQ(corpus->document_bytes(2), 2u);
    Ids ids(9);
    corpus->read_tokens(0, ids);
    EXPECT_EQ(ids, (Ids{1, 2, 3, 299, 4, 299, 5, 6, 299}));
    EXPECT_THAT(message([&] { corpus->split("dev"); }),
                HasSubstr("has no split dev. Splits here: train, valid"));
    EXPECT_EQ(corpus->check_unchanged(), std::nullopt);
    EXPECT_THAT(message([&] { corpus->read_tokens(1, ids); }, ExitCode::kInternal),
                HasSubstr("tokens 1 + 9 of 9"));
  }
}

TEST_F(CorpusTest, RandomReadsMatchAnyWidthAndPosition) {
  RandomStream random(11, RandomPurpose::kTest, 0);
  for (const std::uint64_t vocab : {300u, 65536u, 70000u, 4294967295u}) {
    std::vector<std::uint32_t> all(5000);
    for (auto& id : all) id = static_cast<std::uint32_t>(random.below(vocab));
    make_corpus("a.h5", {all}, vocab);
    const auto corpus = Corpus::open(path("a.h5"), CorpusVerification::kAuto);
    for (int trial = 0; trial < 500; ++trial) {
      const std::uint64_t begin = random.below(all.size() + 1);
      Ids ids(random.below(all.size() - begin + 1));
      corpus->read_tokens(begin, ids);
      ASSERT_TRUE(
          std::equal(ids.begin(), ids.end(), all.begin() + static_cast<std::ptrdiff_t>(begin)));
    }
  }
}

TEST_F(CorpusTest, MissingAndForeignFiles) {
  EXPECT_THAT(message([&] { Corpus::open(path("none.h5"), CorpusVerification::kAuto); }),
              HasSubstr("none.h5: cannot open"));
  make_corpus("a.h5", {{1}});
  std::filesystem::remove(path("a.manifest.json"));
  EXPECT_THAT(message([&] { Corpus::open(path("a.h5"), CorpusVerification::kAuto); }),
              HasSubstr("has no manifest"));
}

TEST_F(CorpusTest, SizesMustMatch) {
  make_corpus("a.h5", {{1, 2, 3}});
  const auto size = std::filesystem::file_size(path("a.h5"));
  for (const auto changed : {size - 1, size + 1, std::uintmax_t{0}}) {
    std::filesystem::resize_file(path("a.h5"), changed);
    EXPECT_THAT(message([&] { Corpus::open(path("a.h5"), CorpusVerification::kSizes); }),
                AllOf(StartsWith(path("a.h5")), HasSubstr("its manifest says")));
  }
}

TEST_F(CorpusTest, ADamagedBlockIsNamedWithTheCommandThatShowsMore) {
  make_corpus("a.h5", {{1, 2, 3}});
  std::string content = read(path("a.h5"));
  content[content.size() / 2] ^= 1;
  write("a.h5", content);
  EXPECT_EQ(message([&] { Corpus::open(path("a.h5"), CorpusVerification::kFull); }),
            path("a.h5") +
                ": block 0 (from byte 0) differs from its manifest. Copy it again or "
                "see: pretrain corpus verify " +
                path("a.h5"));
}

// Every region of the file, many kinds of damage: refused with verification on; without it no crash
// and no id out of range.
TEST_F(CorpusTest, NoMutationIsAccepted) {
  std::vector<std::vector<std::uint32_t>> documents;
  RandomStream random(12, RandomPurpose::kTest, 0);
  for (int d = 0; d < 20; ++d) {
    documents.emplace_back();
    for (int i = 0; i < 50; ++i) documents.back().push_back(random.next_u32() % 300);
  }
  make_corpus("a.h5", documents, 300, -1, {{"train", {{0, 15}}}, {"valid", {{15, 20}}}});
  const std::string good = read(path("a.h5"));
  for (int trial = 0; trial < 500; ++trial) {
    std::string bad = good;
    const std::size_t at = random.below(bad.size());
    const std::size_t other = random.below(bad.size());
    switch (random.below(6)) {
      case 0:
        bad[at] = static_cast<char>(bad[at] ^ (1 << random.below(8)));
        break;
      case 1:
        bad[at] = static_cast<char>(bad[at] + 1 + static_cast<int>(random.below(255)));
        break;
      case 2:
        bad.resize(at);
        break;
      case 3:
        bad.append(1 + random.below(1000), static_cast<char>(random.below(256)));
        break;
      case 4:
        bad.replace(at, 8, 8, '\xff');
        break;
      case 5:
        std::swap(bad[at], bad[other]);
        break;
    }
    if (bad == good) continue;
    write("a.h5", bad);
    ASSERT_NE(message([&] { Corpus::open(path("a.h5"), CorpusVerification::kAuto); }), "no error")
        << "mutation " << trial;
    try {
      const auto corpus = Corpus::open(path("a.h5"), CorpusVerification::kSizes);
      Ids ids(corpus->tokens());
      corpus->read_tokens(0, ids);
      for (const std::int64_t id : ids) ASSERT_LT(id, 300);
      for (std::uint64_t d = 0; d < corpus->documents(); ++d) {
        ASSERT_LE(corpus->document_begin(d), corpus->document_begin(d + 1));
      }
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadData);
    }
  }
}

TEST_F(CorpusTest, ContentsAreCheckedWithoutDigests) {
  Ids ids(3);
  const Raw good;
  open_raw(good).read_tokens(0, ids);
  EXPECT_EQ(ids, (Ids{1, 2, 3}));
  EXPECT_THAT(refused([](Raw& r) { r.offsets = {1, 1, 2, 3}; }), HasSubstr("/doc_offsets[0] is 1"));
  EXPECT_THAT(refused([](Raw& r) { r.offsets = {0, 2, 1, 3}; }), HasSubstr("/doc_offsets[2] is 1"));
  EXPECT_THAT(refused([](Raw& r) { r.offsets = {0, 1, 9, 3}; }), HasSubstr("/doc_offsets[2] is 9"));
  EXPECT_THAT(refused([](Raw& r) {
                r.offsets = {0, 1, 2, 2};
              }),
              HasSubstr("/doc_offsets[3] is 2, expected 3 to 3"));
  EXPECT_THAT(refused([](Raw& r) { r.offsets[3] = UINT64_MAX; }), HasSubstr("/doc_offsets[3]"));
  EXPECT_THAT(refused([](Raw& r) { r.valid = {1, 3}; }), HasSubstr("document 1 is in two splits"));
  EXPECT_THAT(refused([](Raw& r) {
                r.valid = {2, 4};
              }),
              HasSubstr("split valid has the documents"));
  EXPECT_THAT(refused([](Raw& r) {
                r.valid = {3, 2};
              }),
              HasSubstr("split valid has the documents"));
  Raw unordered;
  unordered.train = {0, 1};
  unordered.valid = {2, 3, 1, 2};
  const Corpus any_order = open_raw(unordered);
  EXPECT_THAT(any_order.split("valid"), ElementsAre(DocumentRange{2, 3}, DocumentRange{1, 2}));
  EXPECT_THAT(refused([&](Raw& r) {
                r = unordered;
                r.valid[1] = 2, r.valid[3] = 3, r.train[1] = 2;
              }),
              HasSubstr("document 1 is in two splits, or twice in one"));
  EXPECT_THAT(refused([](Raw& r) { r.attributes.bytes = 1; }),
              HasSubstr("/doc_bytes adds up to 0"));
  Raw wild;
  wild.tokens[1] = 4;
  const Corpus corpus = open_raw(wild);
  EXPECT_THAT(message([&] { corpus.read_tokens(0, ids); }),
              HasSubstr("token id 4 between positions 0 and 3, expected less than vocab_size 4"));
}

TEST_F(CorpusTest, MoreThanFourBillionTokens) {
  // A sparse file: 2^32 + 2^29 tokens of 2 bytes = 9 GiB, of which a few pages are on disk.
  const std::uint64_t tokens = (std::uint64_t{1} << 32) + (std::uint64_t{1} << 29);
  CorpusTable table;
  table.attributes = {.version = 1,
                      .dtype = "u16",
                      .tokenizer_sha256 = "",
                      .created_by = "",
                      .vocab_size = 1000,
                      .max_id = 999,
                      .documents = 2,
                      .tokens = tokens,
                      .bytes = 0,
                      .eos_id = -1};
  const std::uint64_t offsets[] = {0, tokens - 5, tokens};
  const std::uint64_t train[] = {0, 2};
  table.datasets[kTokensPath] = {64, tokens * 2, tokens, "u16"};
  table.datasets[kDocOffsetsPath] = {0, sizeof offsets, 3, "u64"};
  table.datasets["/splits/train"] = {sizeof offsets, sizeof train, 2, "u64"};
  const std::uint64_t bytes = 64 + tokens * 2;
  const int fd = open(path("big.h5").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(ftruncate(fd, static_cast<off_t>(bytes)), 0);
  ASSERT_EQ(pwrite(fd, offsets, sizeof offsets, 0), ssize_t{sizeof offsets});
  ASSERT_EQ(pwrite(fd, train, sizeof train, sizeof offsets), ssize_t{sizeof train});
  const std::uint16_t last[] = {997, 998, 999};
  ASSERT_EQ(pwrite(fd, last, sizeof last, static_cast<off_t>(bytes - sizeof last)),
            ssize_t{sizeof last});
  close(fd);
  const Corpus corpus(path("big.h5"), bare(bytes, table), CorpusVerification::kSizes, {});
  Ids ids(4);
  corpus.read_tokens(tokens - 4, ids);
  EXPECT_EQ(ids, (Ids{0, 997, 998, 999}));
  EXPECT_EQ(corpus.document_begin(1), tokens - 5);
}

TEST_F(CorpusTest, SamplesLargeCorporaWithoutFullDigests) {
  // Beyond 16 GiB: tables and the first token block are read, other blocks are not.
  const std::uint64_t tokens = (std::uint64_t{17} << 30) / 2;
  CorpusTable table;
  table.attributes = {.version = 1,
                      .dtype = "u16",
                      .tokenizer_sha256 = "",
                      .created_by = "",
                      .vocab_size = 10,
                      .max_id = 0,
                      .documents = 1,
                      .tokens = tokens,
                      .bytes = 0,
                      .eos_id = -1};
  const std::uint64_t tables[] = {0, tokens, 0, 1};
  const auto digest = [&](int from) {
    return xxh3_128_hex(std::as_bytes(std::span(tables).subspan(from, 2)));
  };
  table.datasets[kDocOffsetsPath] = {0, 16, 2, "u64", digest(0)};
  table.datasets["/splits/train"] = {16, 16, 2, "u64", digest(2)};
  table.datasets[kTokensPath] = {32, tokens * 2, tokens, "u16"};
  CorpusManifest manifest = bare(32 + tokens * 2, table);
  std::string first(kBlockBytes, '\0');
  std::memcpy(first.data(), tables, sizeof tables);
  const std::string zeros(kBlockBytes, '\0');
  const std::string zero_digest = xxh3_128_hex(std::as_bytes(std::span(zeros)));
  manifest.blocks.assign((manifest.bytes + kBlockBytes - 1) / kBlockBytes, zero_digest);
  manifest.blocks[0] = xxh3_128_hex(std::as_bytes(std::span(first)));
  write("big.h5", std::string(reinterpret_cast<const char*>(tables), sizeof tables));
  std::filesystem::resize_file(path("big.h5"), manifest.bytes);
  const auto open_auto = [&] { Corpus(path("big.h5"), manifest, CorpusVerification::kAuto, {}); };
  manifest.blocks[5] = "not looked at";
  EXPECT_NO_THROW(open_auto());
  manifest.blocks[200] = "sampled";
  EXPECT_THAT(message(open_auto), HasSubstr("block 200 (from byte 13421772800)"));
  manifest.table.datasets[kDocOffsetsPath].xxh3_128 = "other";
  EXPECT_THAT(message(open_auto), HasSubstr("/doc_offsets differs from its manifest"));
}

TEST_F(CorpusTest, NoticesChangesWhileInUse) {
  make_corpus("a.h5", {{1, 2, 3}});
  const auto corpus = Corpus::open(path("a.h5"), CorpusVerification::kAuto);
  std::filesystem::copy_file(path("a.h5"), path("b.h5"));
  std::filesystem::rename(path("b.h5"), path("a.h5"));
  EXPECT_TRUE(corpus->check_unchanged().has_value());
  Ids ids(3);
  corpus->read_tokens(0, ids);
  EXPECT_EQ(ids, (Ids{1, 2, 3}));
  const auto again = Corpus::open(path("a.h5"), CorpusVerification::kAuto);
  std::filesystem::resize_file(path("a.h5"), 100);
  EXPECT_THAT(message([&] { again->check_unchanged(); }), HasSubstr("changed while in use"));
}

TEST_F(CorpusTest, TheTokenizerBesideItMustBeItsOwn) {
  const auto tokenizer = make_byte_tokenizer();
  CorpusWriter writer(path("a.h5"), {257, 256, tokenizer->sha256(), ""}, false);
  const std::vector<std::uint32_t> ids = {1};
  writer.add_document(ids, 1);
  writer.finish({{"train", {{0, 1}}}}, tokenizer->to_json(), {});
  const auto corpus = Corpus::open(path("a.h5"), CorpusVerification::kAuto);
  EXPECT_EQ(corpus->load_tokenizer()->sha256(), tokenizer->sha256());
  write("a.tokenizer.json", make_char_tokenizer({'a'}, true)->to_json());
  EXPECT_THAT(message([&] { corpus->load_tokenizer(); }), HasSubstr("was built with"));
  std::filesystem::remove(path("a.tokenizer.json"));
  EXPECT_THAT(message([&] { corpus->load_tokenizer(); }), HasSubstr("is missing"));
}

}  // namespace
}  // namespace pretrain
