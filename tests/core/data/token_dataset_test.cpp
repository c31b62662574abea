#include "core/data/token_dataset.h"

#include <fstream>

#include "core/base/memory_usage.h"
#include "core/base/random.h"
#include "core/data/mixture/sample_plan.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Ids = std::vector<std::int64_t>;
using Corpora = std::vector<std::shared_ptr<const Corpus>>;

TokenDataset joined(const Corpora& corpora, const std::string& split, std::uint64_t length) {
  std::vector<CorpusSplit> sources;
  for (const auto& corpus : corpora) sources.push_back({corpus, split});
  return TokenDataset(sources, length);
}

class TokenDatasetTest : public CorpusFixture {
 protected:
  std::shared_ptr<const Corpus> corpus(
      const std::string& name, const std::vector<std::vector<std::uint32_t>>& documents,
      std::map<std::string, std::vector<DocumentRange>> splits = {},
      std::uint64_t vocab = 257) const {
    return Corpus::open(make_corpus(name, documents, vocab, -1, std::move(splits)),
                        CorpusVerification::kAuto);
  }
};

TEST_F(TokenDatasetTest, RowsTileTheSplitAndOverlapByOneToken) {
  RandomStream random(31, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 40; ++trial) {
    // Random documents in random ranges of train over one or two corpora.
    Corpora corpora;
    Ids expected;
    std::uint32_t next = 0;
    for (std::uint64_t c = 0; c <= random.below(2); ++c) {
      std::vector<std::vector<std::uint32_t>> documents(1 + random.below(12));
      std::map<std::string, std::vector<DocumentRange>> splits;
      for (std::uint64_t d = 0; d < documents.size(); ++d) {
        documents[d].resize(random.below(20));
        const bool train = d == 0 || random.below(3) > 0;
        for (auto& id : documents[d]) {
          id = next++;
          if (train) expected.push_back(id);
        }
        splits[train ? "train" : "valid"].push_back({d, d + 1});
      }
      documents.push_back({next++});  // not empty, in no split
      corpora.push_back(corpus(concat("c", c, ".h5"), documents, splits, 70000));
    }
    const std::uint64_t length = 1 + random.below(9);
    if (expected.size() <= length) continue;
    const TokenDataset dataset = joined(corpora, "train", length);
    EXPECT_EQ(dataset.tokens(), expected.size());
    ASSERT_EQ(dataset.size(), (expected.size() - 1) / length);
    Ids row(length + 1);
    for (std::uint64_t i = 0; i < dataset.size(); ++i) {
      dataset.read(i, row);
      ASSERT_TRUE(std::equal(row.begin(), row.end(),
                             expected.begin() + static_cast<std::ptrdiff_t>(i * length)));
    }
    EXPECT_THAT(message([&] { dataset.read(dataset.size(), row); }, ExitCode::kInternal),
                HasSubstr("of "));
  }
}

TEST_F(TokenDatasetTest, AContextLongerThanTheCorpusIsNamed) {
  const Corpora one = {corpus("a.h5", {{1, 2, 3}, {4, 5}})};
  EXPECT_EQ(joined(one, "train", 4).size(), 1u);
  EXPECT_THAT(message([&] { joined(one, "train", 5); }),
              AllOf(HasSubstr("a.h5: the context is longer than the corpus"),
                    HasSubstr("has 5 tokens, a row takes 6")));
  EXPECT_THAT(message([&] { joined(one, "train", UINT64_MAX); }), HasSubstr("longer"));
  EXPECT_THAT(message([&] { joined(one, "train", 0); }, ExitCode::kBadConfig),
              HasSubstr("data.sequence_length"));
  EXPECT_THAT(message([&] { joined(one, "valid", 2); }), HasSubstr("has no split valid"));
}

TEST_F(TokenDatasetTest, CorporaOfDifferentVocabulariesDoNotMix) {
  const Corpora two = {corpus("a.h5", {{1, 2, 3}}), corpus("b.h5", {{1, 2, 3}}, {}, 300)};
  EXPECT_THAT(message([&] { joined(two, "train", 2); }),
              AllOf(HasSubstr("b.h5: vocab_size 300"), HasSubstr("Build them with one tokenizer")));
}

TEST_F(TokenDatasetTest, EmptyDocumentsAreNoRows) {
  const Corpora one = {
      corpus("a.h5", {{}, {1}, {}, {}, {2, 3}, {}}, {{"train", {{0, 1}, {1, 3}, {3, 6}}}})};
  const TokenDataset dataset = joined(one, "train", 2);
  Ids row(3);
  dataset.read(0, row);
  EXPECT_EQ(row, (Ids{1, 2, 3}));
}

// A corpus of 10^12 tokens in 10^9 documents, nearly all of it a hole in its file: opening it and
// drawing 1,000 rows takes as long as of a small one, and only what is read takes memory.
TEST_F(TokenDatasetTest, TheSizeOfACorpusCostsNothing) {
  constexpr std::uint64_t kTokens = 1'000'000'000'000, kDocuments = 1'000'000'000;
  constexpr std::uint64_t kTokensAt = 8 * (kDocuments + 1);
  constexpr std::uint64_t kSplitAt = kTokensAt + 2 * kTokens;
  CorpusManifest manifest;
  CorpusTable& table = manifest.table;
  table.attributes = {.dtype = "u16",
                      .tokenizer_sha256 = std::string(64, '0'),
                      .created_by = "",
                      .vocab_size = 60000,
                      .max_id = 59999,
                      .documents = kDocuments,
                      .tokens = kTokens};
  const std::string digest(32, '0');
  const auto place = [&](std::uint64_t at, std::uint64_t count, const char* type,
                         std::uint64_t width) {
    return DatasetEntry{at, count * width, count, type, digest, std::string(64, '0')};
  };
  table.datasets[kDocOffsetsPath] = place(0, kDocuments + 1, "u64", 8);
  table.datasets[kTokensPath] = place(kTokensAt, kTokens, "u16", 2);
  table.datasets["/splits/train"] = place(kSplitAt, 2, "u64", 8);
  manifest.file = "huge.h5";
  manifest.bytes = kSplitAt + 16;
  manifest.sha256 = std::string(64, '0');
  manifest.xxh3_128 = digest;
  manifest.blocks.assign((manifest.bytes + kBlockBytes - 1) / kBlockBytes, digest);
  manifest.fingerprint = corpus_fingerprint(table);
  write("huge.manifest.json", manifest_to_json(manifest));
  const std::string file = write("huge.h5", "");
  {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    const auto put = [&out](std::uint64_t at, const auto& numbers) {
      out.seekp(static_cast<std::streamoff>(at));
      out.write(reinterpret_cast<const char*>(numbers.data()), sizeof numbers);
    };
    put(kTokensAt - 16, std::array<std::uint64_t, 2>{kTokens - 5, kTokens});
    put(kSplitAt - 2, std::array<std::uint16_t, 1>{4711});
    put(kSplitAt, std::array<std::uint64_t, 2>{0, kDocuments});
  }
  const std::int64_t before = resident_bytes().value();
  const auto corpus = Corpus::open(file, CorpusVerification::kSizes);
  const TokenDataset dataset({{corpus, "train"}}, 1024);
  const std::uint64_t rows = (kTokens - 1) / 1024;
  ASSERT_EQ(dataset.size(), rows);
  const SamplePlan plan(1, true, {{rows}}, {{0, {1}}});
  std::vector<std::int64_t> row(1025);
  for (std::uint64_t n = 0; n < 1000; ++n) {
    dataset.read(plan.sample(rows / 1000 * n).row, row);
    EXPECT_LE(row.back(), 4711);
  }
  std::vector<std::int64_t> end(1);
  corpus->read_tokens(kTokens - 1, end);
  EXPECT_EQ(end.front(), 4711);
  EXPECT_EQ(corpus->document_at(kTokens - 1), kDocuments - 1);
  EXPECT_EQ(corpus->document_at(kTokens - 6), kDocuments - 2);
  EXPECT_LT(resident_bytes().value() - before, std::int64_t{256} << 20);
}

}  // namespace
}  // namespace pretrain
