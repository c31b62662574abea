#include "core/data/evaluation_dataset.h"

#include "core/base/random.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<std::int64_t>;
using Corpora = std::vector<std::shared_ptr<const Corpus>>;

class EvaluationDatasetTest : public CorpusFixture {
 protected:
  std::shared_ptr<const Corpus> corpus(const std::string& name,
                                       const std::vector<std::vector<std::uint32_t>>& documents,
                                       std::int64_t eos = -1) const {
    return Corpus::open(make_corpus(name, documents, 257, eos), CorpusVerification::kAuto);
  }
  // Inputs and targets of all rows, joined.
  static std::pair<Ids, Ids> all(const EvaluationDataset& dataset, std::uint64_t length) {
    Ids inputs, targets;
    for (std::uint64_t row = 0; row < dataset.size(); ++row) {
      const std::uint64_t n = dataset.row_targets(row);
      EXPECT_TRUE(n == length || (row + 1 == dataset.size() && n >= 1 && n < length));
      Ids ids(n + 1);
      dataset.read(row, ids);
      inputs.insert(inputs.end(), ids.begin(), ids.end() - 1);
      targets.insert(targets.end(), ids.begin() + 1, ids.end());
    }
    return {inputs, targets};
  }
};

TEST_F(EvaluationDatasetTest, EveryTokenIsScoredExactlyOnce) {
  RandomStream random(41, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 40; ++trial) {
    const std::int64_t eos = random.below(2) == 0 ? 256 : -1;
    Corpora corpora;
    Ids tokens;
    std::uint64_t bytes = 0;
    for (std::uint64_t c = 0; c <= random.below(2); ++c) {
      std::vector<std::vector<std::uint32_t>> documents(1 + random.below(8));
      for (auto& document : documents) {
        document.resize(1 + random.below(15));
        bytes += document.size();
        for (auto& id : document) {
          id = static_cast<std::uint32_t>(random.below(256));
          tokens.push_back(id);
        }
        if (eos >= 0) tokens.push_back(eos);
      }
      corpora.push_back(corpus(concat("c", c, ".h5"), documents, eos));
    }
    if (tokens.size() < 2) continue;
    const std::uint64_t length = 1 + random.below(9);
    const EvaluationDataset dataset(corpora, "train", length);
    Ids sequence = tokens;
    if (eos >= 0) sequence.insert(sequence.begin(), eos);
    const auto [inputs, targets] = all(dataset, length);
    ASSERT_EQ(targets, Ids(sequence.begin() + 1, sequence.end()));
    ASSERT_EQ(inputs, Ids(sequence.begin(), sequence.end() - 1));
    EXPECT_EQ(dataset.targets(), targets.size());
    EXPECT_EQ(dataset.bytes(), bytes);
  }
}

TEST_F(EvaluationDatasetTest, MaxTokensCutsAfterWholeDocuments) {
  const Corpora two = {corpus("a.h5", {{1, 2, 3}, {4, 5}, {6}}), corpus("b.h5", {{7, 8}, {9}})};
  const std::pair<std::uint64_t, Ids> cases[] = {
      {1, {2, 3}},  // at least one document
      {3, {2, 3}},
      {4, {2, 3}},
      {5, {2, 3, 4, 5}},
      {6, {2, 3, 4, 5, 6}},
      {7, {2, 3, 4, 5, 6}},
      {8, {2, 3, 4, 5, 6, 7, 8}},
      {1000, {2, 3, 4, 5, 6, 7, 8, 9}},
  };
  for (const auto& [max_tokens, targets] : cases) {
    const EvaluationDataset dataset(two, "train", 2, max_tokens);
    EXPECT_EQ(all(dataset, 2).second, targets) << max_tokens;
    EXPECT_EQ(dataset.bytes(), targets.size() + 1) << max_tokens;
  }
  EXPECT_EQ(EvaluationDataset(two, "train", 2, 7).documents(), 3u);
}

TEST_F(EvaluationDatasetTest, BytesAreUnknownWithoutByteCounts) {
  make_corpus("a.h5", {{1, 2, 3}});
  CorpusManifest manifest = read_manifest(path("a.h5"));
  manifest.table.datasets.erase(kDocBytes);
  manifest.table.attributes.bytes = 0;
  const Corpora one = {
      std::make_shared<const Corpus>(path("a.h5"), manifest, CorpusVerification::kFull, nullptr)};
  EXPECT_EQ(EvaluationDataset(one, "train", 2).bytes(), std::nullopt);
}

TEST_F(EvaluationDatasetTest, RefusesWhatCannotBeScored) {
  const Corpora one = {corpus("a.h5", {{1}})};
  EXPECT_THAT(message([&] { EvaluationDataset(one, "train", 2); }), HasSubstr("nothing to score"));
  EXPECT_THAT(message([&] { EvaluationDataset(one, "valid", 2); }), HasSubstr("has no split"));
  EXPECT_THAT(message([&] { EvaluationDataset(one, "train", 0); }, ExitCode::kBadConfig),
              HasSubstr("data.sequence_length"));
  const Corpora mixed = {corpus("b.h5", {{1}}), corpus("c.h5", {{1}}, 256)};
  EXPECT_THAT(message([&] { EvaluationDataset(mixed, "train", 2); }),
              HasSubstr("Build them alike"));
  const Corpora eos = {corpus("d.h5", {{1}}, 256)};
  const EvaluationDataset dataset(eos, "train", 9);
  Ids ids(4);
  EXPECT_THAT(message([&] { dataset.read(1, ids); }, ExitCode::kInternal), HasSubstr("row 1 of 1"));
}

}  // namespace
}  // namespace pretrain
