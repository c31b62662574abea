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

// A corpus of 10^12 tokens is a sparse file here: only what is read of it takes memory.
TEST_F(TokenDatasetTest, TheSizeOfACorpusCostsNothing) {
  constexpr std::uint64_t kTokens = 1'000'000'000'000, kDocuments = 1000;
  const std::string file = write("huge.h5", "");
  CorpusManifest manifest;
  CorpusTable& table = manifest.table;
  table.attributes.dtype = "u16";
  table.attributes.vocab_size = 60000;
  table.attributes.max_id = 59999;
  table.attributes.documents = kDocuments;
  table.attributes.tokens = kTokens;
  table.datasets[kDocOffsetsPath] = {0, 8 * (kDocuments + 1), kDocuments + 1, "u64"};
  table.datasets["/splits/train"] = {16384, 16, 2, "u64"};
  table.datasets[kTokensPath] = {65536, 2 * kTokens, kTokens, "u16"};
  manifest.bytes = 65536 + 2 * kTokens;
  manifest.blocks.assign((manifest.bytes + kBlockBytes - 1) / kBlockBytes, "");
  {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t d = 0; d <= kDocuments; ++d) numbers.push_back(d * (kTokens / kDocuments));
    out.write(reinterpret_cast<const char*>(numbers.data()), 8 * (kDocuments + 1));
    numbers = {0, kDocuments};
    out.seekp(16384).write(reinterpret_cast<const char*>(numbers.data()), 16);
    const std::uint16_t last = 4711;
    out.seekp(static_cast<std::streamoff>(65536 + 2 * (kTokens - 1)));
    out.write(reinterpret_cast<const char*>(&last), 2);
  }
  const std::int64_t before = resident_bytes().value();
  const auto corpus = std::make_shared<const Corpus>(file, manifest, CorpusVerification::kSizes,
                                                     ProgressFunction());
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
  EXPECT_EQ(corpus->document_at(0), 0u);
  EXPECT_EQ(corpus->document_at(kTokens / kDocuments * 17), 17u);
  EXPECT_LT(resident_bytes().value() - before, std::int64_t{256} << 20);
}

}  // namespace
}  // namespace pretrain
