#include "core/data/corpus/inspect/corpus_info.h"

#include <nlohmann/json.hpp>

#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CorpusInfoTest : public CorpusFixture {};

TEST_F(CorpusInfoTest, TextAndJsonSayTheSame) {
  const std::string corpus = make_corpus("a.h5", {{1}, {2, 3, 4}, {5, 6, 7, 8}, {9}}, 300, 299,
                                         {{"train", {{0, 3}}}, {"valid", {{3, 4}}}});
  const CorpusInfo info = corpus_info(corpus);
  EXPECT_THAT(info.to_text(), HasSubstr("documents   4 of 2 to 5 tokens, mean 3"));
  EXPECT_THAT(info.to_text(), HasSubstr("split       valid: 1 document, 2 tokens"));
  EXPECT_THAT(info.to_text(), HasSubstr("lengths     percentiles 1 %: 2, 10 %: 2, 25 %: 2, 50 %: "
                                        "2, 75 %: 4, 90 %: 5, 99 %: 5"));
  EXPECT_THAT(info.to_text(), HasSubstr("           2 - 3                      2  █"));
  const auto json = nlohmann::json::parse(info.to_json());
  EXPECT_EQ(json["tokens"], 13);
  EXPECT_EQ(json["dtype"], "u16");
  EXPECT_EQ(json["max_id"], 299);
  EXPECT_NEAR(json["bytes_per_token"].get<double>(), 9.0 / 13, 1e-12);
  EXPECT_EQ(json["documents"]["percentiles"]["75"], 4);
  EXPECT_EQ(json["documents"]["histogram"][0],
            (nlohmann::json{{"begin", 2}, {"end", 4}, {"documents", 2}}));
  EXPECT_EQ(json["splits"]["valid"]["tokens"], 2);
  EXPECT_TRUE(json["sources"].is_null());
  EXPECT_EQ(json["fingerprint"], read_manifest(corpus).fingerprint);
}

TEST_F(CorpusInfoTest, SourcesAndUnknownBytes) {
  CorpusWriter writer(path("a.h5"),
                      {.vocab_size = 10,
                       .tokenizer_sha256 = "",
                       .created_by = "",
                       .document_bytes = false,
                       .sources = {"books", "web"}},
                      false);
  for (const std::size_t source : {1, 0, 1}) {
    writer.add_document(std::vector<std::uint32_t>{1, 2}, 0, source);
  }
  writer.end_document(0);  // a document without tokens
  writer.finish({{"train", {{0, 4}}}}, "", {});
  const CorpusInfo info = corpus_info(path("a.h5"));
  EXPECT_THAT(info.to_text(), HasSubstr("from        books: 2 documents\n"
                                        "from        web: 2 documents\n"));
  EXPECT_THAT(info.to_text(), HasSubstr("1 without a token"));
  EXPECT_THAT(info.to_text(), HasSubstr("byte counts not recorded: no bits per byte"));
  const auto json = nlohmann::json::parse(info.to_json());
  EXPECT_TRUE(json["bytes"].is_null());
  EXPECT_TRUE(json["bytes_per_token"].is_null());
  EXPECT_EQ(json["sources"]["web"], 2);
  EXPECT_EQ(json["documents"]["empty"], 1);
}

TEST_F(CorpusInfoTest, RowsOfEachPacking) {
  const std::string corpus = make_corpus("a.h5", {{1, 2, 3}, {1, 2, 3, 4, 5, 6, 7}, {1, 2}, {9, 9}},
                                         300, -1, {{"train", {{0, 3}}}, {"valid", {{3, 4}}}});
  EXPECT_THAT(corpus_info(corpus).to_text(), Not(HasSubstr("packing")));
  EXPECT_TRUE(nlohmann::json::parse(corpus_info(corpus).to_json())["rows"].is_null());
  const CorpusInfo info = corpus_info(corpus, RowQuestion{.sequence_length = 4});
  EXPECT_THAT(
      info.to_text(),
      HasSubstr("packing     packed: train 2 rows of 4 positions, 0.0 % padding; 1 of 3 documents "
                "cut (33.3 %); 3 tokens unused\n"
                "packing     documents: train 4 rows of 4 positions, 43.8 % padding; 1 of 3 "
                "documents cut (33.3 %); 0 tokens unused\n"
                "packing     first_fit: train 3 rows of 4 positions, 25.0 % padding; 1 of 3 "
                "documents cut (33.3 %); 0 tokens unused\n"
                "packing     best_fit: train 3 rows of 4 positions, 25.0 % padding; 1 of 3 "
                "documents cut (33.3 %); 0 tokens unused\n"));
  const auto rows = nlohmann::json::parse(info.to_json())["rows"];
  EXPECT_EQ(rows["sequence_length"], 4);
  EXPECT_EQ(rows["split"], "train");
  EXPECT_EQ(rows["packings"].size(), 4u);
  EXPECT_EQ(rows["packings"]["documents"], (nlohmann::json{{"rows", 4},
                                                           {"row_positions", 4},
                                                           {"padding", 0.4375},
                                                           {"documents", 3},
                                                           {"cut_documents", 1},
                                                           {"truncation", 1.0 / 3},
                                                           {"sequences", 4},
                                                           {"unused_tokens", 0}}));
}

TEST_F(CorpusInfoTest, RowsOfOnePackingAndSplit) {
  const std::string corpus = make_corpus("a.h5", {{1, 2, 3, 4}, {5, 6}}, 300, -1,
                                         {{"train", {{0, 1}}}, {"valid", {{1, 2}}}});
  const RowQuestion question{.sequence_length = 1, .split = "valid", .packings = {"best_fit"}};
  const CorpusInfo info = corpus_info(corpus, question);
  ASSERT_EQ(info.rows.size(), 1u);
  EXPECT_EQ(info.rows[0].rows, 1u);
  EXPECT_THAT(info.to_text(), HasSubstr("packing     best_fit: valid 1 rows of 1 positions"));
  EXPECT_THAT(message([&] { corpus_info(corpus, RowQuestion{.sequence_length = 4}); }),
              HasSubstr("a.h5"));
  EXPECT_THAT(
      message([&] { corpus_info(corpus, RowQuestion{.sequence_length = 1, .split = "test"}); }),
      HasSubstr("has no split test"));
}

}  // namespace
}  // namespace pretrain
