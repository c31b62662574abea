#include "core/data/evaluation_dataset.h"

#include "core/base/random.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<std::int64_t>;

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
    Ids tokens;
    std::vector<std::vector<std::uint32_t>> documents(1 + random.below(12));
    for (auto& document : documents) {
      document.resize(1 + random.below(15));
      for (auto& id : document) {
        id = static_cast<std::uint32_t>(random.below(256));
        tokens.push_back(id);
      }
      if (eos >= 0) tokens.push_back(eos);
    }
    if (tokens.size() < 2) continue;
    const std::uint64_t length = 1 + random.below(9);
    const EvaluationDataset dataset({corpus("a.h5", documents, eos), "train"}, length);
    Ids sequence = tokens;
    if (eos >= 0) sequence.insert(sequence.begin(), eos);
    const auto [inputs, targets] = all(dataset, length);
    ASSERT_EQ(targets, Ids(sequence.begin() + 1, sequence.end()));
    ASSERT_EQ(inputs, Ids(sequence.begin(), sequence.end() - 1));
    EXPECT_EQ(dataset.targets(), targets.size());
    EXPECT_EQ(dataset.documents(), documents.size());
  }
}

TEST_F(EvaluationDatasetTest, BytesAreThoseBehindTheScoredTokens) {
  EXPECT_EQ(EvaluationDataset({corpus("a.h5", {{1, 2, 3}, {4}}, 256), "train"}, 2).bytes(), 4.0);
  // The first of four tokens of four bytes is not scored.
  EXPECT_EQ(EvaluationDataset({corpus("b.h5", {{1, 2, 3}, {4}}), "train"}, 2).bytes(), 3.0);
  // Side by side all are, but for a last row of one token.
  const CorpusSplit six{corpus("c.h5", {{1, 2, 3}, {4}}, 256), "train"};
  EXPECT_EQ(EvaluationDataset(six, 3, std::nullopt, 0).bytes(), 4.0);
  EXPECT_EQ(EvaluationDataset(six, 5, std::nullopt, 0).targets(), 5U);
  EXPECT_EQ(EvaluationDataset(six, 5, std::nullopt, 0).bytes(), 4.0 * (5.0 / 6.0));

  CorpusManifest manifest = read_manifest(path("a.h5"));
  manifest.table.datasets.erase(kDocBytesPath);
  manifest.table.attributes.bytes = 0;
  const auto without =
      std::make_shared<const Corpus>(path("a.h5"), manifest, CorpusVerification::kFull, nullptr);
  EXPECT_EQ(EvaluationDataset({without, "train"}, 2).bytes(), std::nullopt);
}

TEST_F(EvaluationDatasetTest, MaxTokensCutsAfterWholeDocuments) {
  const std::string file = make_corpus("a.h5", {{1, 2, 3}, {4, 5}, {6}, {99}, {7, 8}, {9}}, 257, -1,
                                       {{"train", {{0, 3}, {4, 6}}}});
  const CorpusSplit train = {Corpus::open(file, CorpusVerification::kAuto), "train"};
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
    const EvaluationDataset dataset(train, 2, max_tokens);
    EXPECT_EQ(all(dataset, 2).second, targets) << max_tokens;
    EXPECT_EQ(dataset.bytes(), static_cast<double>(targets.size())) << max_tokens;
  }
  EXPECT_EQ(EvaluationDataset(train, 2, 7).documents(), 3u);
}

TEST_F(EvaluationDatasetTest, RefusesWhatCannotBeScored) {
  const CorpusSplit one = {corpus("a.h5", {{1}}), "train"};
  EXPECT_THAT(message([&] { EvaluationDataset(one, 2); }), HasSubstr("nothing to score"));
  EXPECT_THAT(message([&] {
                EvaluationDataset({one.corpus, "valid"}, 2);
              }),
              HasSubstr("has no split"));
  EXPECT_THAT(message([&] { EvaluationDataset(one, 0); }, ExitCode::kBadConfig),
              HasSubstr("data.sequence_length"));
  const EvaluationDataset dataset({corpus("d.h5", {{1}}, 256), "train"}, 9);
  Ids ids(4);
  EXPECT_THAT(message([&] { dataset.read(1, ids); }, ExitCode::kInternal), HasSubstr("row 1 of 1"));
}

}  // namespace
}  // namespace pretrain
