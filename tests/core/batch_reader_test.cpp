#include "core/batch_reader.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/data/packing/packing.h"
#include "tests/core/data/corpus/corpus_fixture.h"
#include "tests/objectives/tiny_objective.h"

namespace pretrain {
namespace {

constexpr std::int64_t kLength = 8;
constexpr std::int64_t kVocab = 64;

class BatchReaderTest : public CorpusFixture {
 protected:
  // Documents of 1 to 21 tokens; a token says how far into its document it stands.
  std::vector<CorpusSplit> source(const std::string& name) {
    std::vector<std::vector<std::uint32_t>> documents;
    for (std::size_t d = 0; d < 60; ++d) {
      auto& ids = documents.emplace_back(1 + d * 5 % 21);
      std::iota(ids.begin(), ids.end(), testing::kFirstOrdinary);
    }
    const std::string file = make_corpus(name, documents, kVocab);
    return {{Corpus::open(file, CorpusVerification::kFull), "train"}};
  }
};

std::vector<std::int64_t> values(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.reshape(-1).contiguous();
  return {flat.const_data_ptr<std::int64_t>(), flat.const_data_ptr<std::int64_t>() + flat.numel()};
}

TEST_F(BatchReaderTest, PackedDocumentsAreSequencesOfTheirOwn) {
  for (const std::string objective_name :
       {"causal_lm", "masked_lm", "prefix_lm", "replaced_token_detection"}) {
    const auto objective = testing::make_tiny_objective(objective_name, kVocab, kLength);
    const RowShape shape = objective->row_shape();
    ASSERT_TRUE(shape.pieces) << objective_name;
    for (const Packing packing : {Packing::kBestFit, Packing::kFirstFit, Packing::kDocuments}) {
      const auto shards = source(concat(objective_name, int(packing), ".h5"));
      const auto rows = pack_rows(packing, shards, shape);
      const SamplePlan plan(1, true, {{rows->size(), rows->group()}}, {{0, {1}}});
      const BatchReader reader({rows.get()}, plan, *objective);
      const auto all = static_cast<std::int64_t>(rows->size());
      const TokenBatch batch = reader.read(0, all);
      std::size_t tokens = 0;
      std::int64_t positions = 0;
      const std::vector<std::int64_t> ids = values(batch.tokens);
      for (const RowPiece& piece : batch.pieces) {
        for (std::size_t i = 1; i < piece.tokens; ++i) {  // of one document, in order
          ASSERT_EQ(ids[tokens + i], ids[tokens + i - 1] + 1);
        }
        tokens += piece.tokens;
        positions += static_cast<std::int64_t>(piece.tokens) - shape.overlap + shape.marks;
      }
      EXPECT_EQ(tokens, ids.size());
      const Batch prepared = reader.batch(0, all);
      EXPECT_EQ(prepared.positions, positions);
      EXPECT_EQ(prepared.inputs.lengths.size(), batch.pieces.size());
      for (const std::int64_t length : prepared.inputs.lengths) EXPECT_LE(length, kLength);
      if (objective_name == "causal_lm") {
        EXPECT_EQ(prepared.counts.at(0), positions);
      }
      reader.announce(0, all);  // only advice, and none of it may fail
    }
  }
}

TEST_F(BatchReaderTest, AShorterLengthCutsEachRowIntoItsParts) {
  const auto objective = testing::make_tiny_objective("causal_lm", kVocab, kLength);
  const auto shards = source("a.h5");
  const auto rows = pack_rows(Packing::kPacked, shards, objective->row_shape());
  const std::vector<SourceRows> sources{{rows->size()}};
  const SamplePlan whole(1, true, sources, {{0, {1}}});
  const SamplePlan growing(1, true, sources, {{0, {1}, 4}, {2, {1}, 2}, {4, {1}, 1}});
  const Batch expected = BatchReader({rows.get()}, whole, *objective).batch(0, 6);
  const Batch cut = BatchReader({rows.get()}, growing, *objective).batch(0, 6);
  EXPECT_EQ(cut.inputs.lengths,
            (std::vector<std::int64_t>{2, 2, 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8}));
  EXPECT_EQ(values(cut.inputs.tokens), values(expected.inputs.tokens));  // none lost, none twice
  EXPECT_EQ(values(cut.targets), values(expected.targets));
  EXPECT_EQ(cut.counts, expected.counts);
}

TEST_F(BatchReaderTest, PlacesAreWhatIsRead) {
  const auto objective = testing::make_tiny_objective("causal_lm", kVocab, kLength);
  const auto shards = source("a.h5");
  const auto rows = pack_rows(Packing::kPacked, shards, objective->row_shape());
  for (std::uint64_t row = 0; row < rows->size(); ++row) {
    std::vector<std::int64_t> read(rows->row_tokens()), placed(rows->row_tokens());
    rows->read(row, read);
    std::size_t at = 0;
    for (const TokenPlace& place : rows->places(row)) {
      place.corpus->read_tokens(place.first, std::span(placed).subspan(at, place.tokens));
      at += place.tokens;
    }
    ASSERT_EQ(at, read.size());
    ASSERT_EQ(placed, read);
  }
}

}  // namespace
}  // namespace pretrain
