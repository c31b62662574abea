#include "core/data/corpus/inspect/corpus_info.h"

#include <nlohmann/json.hpp>

#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::HasSubstr;

class CorpusInfoTest : public CorpusFixture {};

TEST_F(CorpusInfoTest, TextAndJsonSayTheSame) {
  const std::string corpus = make_corpus("a.h5", {{1}, {2, 3, 4}, {5, 6, 7, 8}, {9}}, 300, 299,
                                         {{"train", {{0, 3}}}, {"valid", {{3, 4}}}});
  const CorpusInfo info = corpus_info(corpus);
  EXPECT_THAT(info.to_text(), HasSubstr("documents   4 of 2 to 5 tokens, mean 3"));
  EXPECT_THAT(info.to_text(), HasSubstr("split       valid: 1 documents, 2 tokens"));
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

}  // namespace
}  // namespace pretrain
