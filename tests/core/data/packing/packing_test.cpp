#include "core/data/packing/packing.h"

#include <set>

#include "core/base/random.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

class PackingTest : public CorpusFixture {
 protected:
  // Documents whose tokens say where they are from: ids of a document count up; lengths as given.
  std::vector<CorpusSplit> source(const std::string& name, const std::vector<std::size_t>& lengths,
                                  std::map<std::string, std::vector<DocumentRange>> splits = {}) {
    std::vector<std::vector<std::uint32_t>> documents;
    for (const std::size_t length : lengths) {
      auto& document = documents.emplace_back();
      for (std::size_t i = 0; i < length; ++i)
        document.push_back(static_cast<std::uint32_t>(i % 256));
    }
    const std::string file = make_corpus(name, documents, 256, -1, std::move(splits));
    return {{Corpus::open(file, CorpusVerification::kFull), "train"}};
  }
};

const std::vector<Packing> kOfDocuments{Packing::kDocuments, Packing::kFirstFit, Packing::kBestFit};

std::vector<std::size_t> random_lengths(std::uint64_t seed, std::size_t count) {
  RandomStream random(2, RandomPurpose::kTest, seed);
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i < count; ++i) {
    lengths.push_back(random.below(10) == 0 ? random.below(90) : random.below(14));
  }
  return lengths;
}

TEST_F(PackingTest, EveryTargetIsInExactlyOneRowAndNoRowIsOverfull) {
  for (const RowShape& shape :
       {RowShape{17, 1, 0, true}, RowShape{14, 0, 2, true}, RowShape{2, 1, 0, true}}) {
    for (const Packing packing : kOfDocuments) {
      const auto lengths = random_lengths(static_cast<std::uint64_t>(shape.tokens), 3000);
      std::map<std::string, std::vector<DocumentRange>> splits{
          {"train", {{0, 10}, {11, 700}, {700, 700}, {702, 2990}}}, {"valid", {{10, 11}}}};
      const auto shards = source(concat("a", shape.tokens, int(packing), ".h5"), lengths, splits);
      const auto rows = pack_rows(packing, shards, shape);
      const Corpus& corpus = *shards[0].corpus;
      std::vector<int> taken(corpus.tokens(), 0);
      std::uint64_t filled = 0, sequences = 0;
      for (std::uint64_t row = 0; row < rows->size(); ++row) {
        std::int64_t positions = 0;
        const auto places = rows->places(row);
        ASSERT_FALSE(places.empty());
        for (const TokenPlace& place : places) {
          ASSERT_GT(place.tokens, static_cast<std::uint64_t>(shape.overlap));
          positions += static_cast<std::int64_t>(place.tokens) - shape.overlap + shape.marks;
          // With an overlap the first token of a piece is no target.
          for (std::uint64_t t = static_cast<std::uint64_t>(shape.overlap); t < place.tokens; ++t) {
            ++taken[place.first + t];
          }
          ++sequences;
        }
        ASSERT_LE(positions, shape.capacity());
        filled += static_cast<std::uint64_t>(positions);
      }
      std::uint64_t targets = 0;
      for (const DocumentRange& range : corpus.split("train")) {
        for (std::uint64_t d = range.begin; d < range.end; ++d) {
          for (std::uint64_t t = corpus.document_begin(d); t < corpus.document_begin(d + 1); ++t) {
            const bool target = shape.overlap == 0 || t > corpus.document_begin(d);
            ASSERT_EQ(taken[t], target ? 1 : 0) << "token " << t;
            targets += target ? 1 : 0;
          }
        }
      }
      EXPECT_EQ(taken[corpus.document_begin(10)], 0);  // of another split
      const RowStatistics statistics = row_statistics(packing, shards, shape);
      EXPECT_EQ(rows->positions(), targets);
      EXPECT_EQ(statistics.filled, filled);
      EXPECT_EQ(statistics.rows, rows->size());
      EXPECT_EQ(statistics.sequences, sequences);
      EXPECT_EQ(statistics.documents, 2987u);
    }
  }
}

TEST_F(PackingTest, BestFitPadsLessThanOneDocumentARow) {
  const RowShape shape{65, 1, 0, true};
  const auto shards = source("b.h5", random_lengths(3, 4000));
  const double best = row_statistics(Packing::kBestFit, shards, shape).padding();
  const double first = row_statistics(Packing::kFirstFit, shards, shape).padding();
  const double one = row_statistics(Packing::kDocuments, shards, shape).padding();
  EXPECT_LT(best, 0.01);
  EXPECT_LE(best, first);
  EXPECT_LT(first, one);
  EXPECT_EQ(row_statistics(Packing::kPacked, shards, shape).padding(), 0);
}

TEST_F(PackingTest, OneDocumentARowIsSortedByLengthInItsWindow) {
  const RowShape shape{33, 1, 0, true};
  const auto shards = source("c.h5", random_lengths(4, 1000));
  const auto rows = pack_rows(Packing::kDocuments, shards, shape);
  EXPECT_GT(rows->group(), 1u);
  std::uint64_t last = 0, falls = 0;
  for (std::uint64_t row = 0; row < rows->size(); ++row) {
    const auto places = rows->places(row);
    ASSERT_EQ(places.size(), 1u);
    if (places[0].tokens < last) ++falls;
    last = places[0].tokens;
  }
  EXPECT_LE(falls, 1u);  // once, behind the full rows
}

TEST_F(PackingTest, JoinedDocumentsAreCountedToo) {
  const auto shards = source("d.h5", {10, 0, 3, 7, 21});  // 41 tokens, rows of 10: 40 targets
  const RowStatistics statistics = row_statistics(Packing::kPacked, shards, {11, 1, 0, true});
  EXPECT_EQ(statistics.rows, 4u);
  EXPECT_EQ(statistics.documents, 5u);
  EXPECT_EQ(statistics.cut_documents, 1u);
  EXPECT_EQ(statistics.unused_tokens, 0u);
  EXPECT_EQ(
      to_string(statistics),
      "4 rows of 10 positions, 0.0 % padding; 1 of 5 documents cut (20.0 %); 0 tokens unused");
}

TEST_F(PackingTest, WhatCannotBePackedIsNamed) {
  const auto empty = source("e.h5", {0, 1, 0, 1});
  for (const Packing packing : kOfDocuments) {
    EXPECT_THAT(message([&] {
                  pack_rows(packing, empty, {5, 1, 0, true});
                }),
                ::testing::HasSubstr("none with more than 1 tokens"));
  }
  EXPECT_EQ(
      row_statistics(Packing::kBestFit, source("f.h5", {0, 1, 5}), {5, 1, 0, true}).unused_tokens,
      1u);
  EXPECT_THAT(message(
                  [&] {
                    pack_rows(Packing::kBestFit, empty, {5, 0, 0, false});
                  },
                  ExitCode::kBadConfig),
              ::testing::HasSubstr("whole rows only"));
  EXPECT_THAT(message([] { packing_named("tight"); }, ExitCode::kBadConfig),
              ::testing::HasSubstr("data.packing tight: expected packed"));
}

}  // namespace
}  // namespace pretrain
