#include "core/data/corpus/corpus_rewrite.h"

#include <set>

#include "core/data/corpus/corpus_verify.h"
#include "core/data/corpus/inspect/corpus_info.h"
#include "core/text/tokenizer.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ranges = std::vector<DocumentRange>;
using Ids = std::vector<std::uint32_t>;

class CorpusRewriteTest : public CorpusFixture {
 protected:
  // A corpus of the byte tokenizer whose documents are `texts`.
  std::string bytes_corpus(const std::string& name, const std::vector<std::string>& texts,
                           std::map<std::string, Ranges> splits = {}) const {
    const auto tokenizer = make_byte_tokenizer();
    CorpusWriter writer(path(name), {257, 256, tokenizer->sha256(), "test"}, true);
    for (const std::string& text : texts) {
      Ids ids;
      tokenizer->encode(text, ids);
      writer.add_document(ids, text.size());
    }
    if (splits.empty()) splits["train"] = {{0, texts.size()}};
    writer.finish(splits, tokenizer->to_json(), {});
    return path(name);
  }
  std::vector<std::string> texts(const std::string& name) const {
    const auto corpus = Corpus::open(path(name), CorpusVerification::kFull);
    const auto tokenizer = corpus->load_tokenizer();
    std::vector<std::string> all;
    for (std::uint64_t d = 0; d < corpus->documents(); ++d) {
      std::vector<std::int64_t> ids(corpus->document_begin(d + 1) - corpus->document_begin(d));
      corpus->read_tokens(corpus->document_begin(d), ids);
      all.push_back(tokenizer->decode({ids.begin(), ids.end()}));
      EXPECT_EQ(corpus->document_bytes(d), all.back().size());
    }
    return all;
  }
  // Split of each text of a corpus.
  std::map<std::string, std::string> sides(const std::string& name) const {
    const auto corpus = Corpus::open(path(name), CorpusVerification::kFull);
    const auto all = texts(name);
    std::map<std::string, std::string> found;
    for (const std::string& split : corpus->splits()) {
      for (const DocumentRange& range : corpus->split(split)) {
        for (std::uint64_t d = range.begin; d < range.end; ++d) {
          const auto [at, is_new] = found.emplace(all[d], split);
          EXPECT_TRUE(is_new || at->second == split) << all[d] << " is in two splits";
        }
      }
    }
    return found;
  }
  static std::vector<std::string> numbered(std::size_t count, const std::string& prefix = "text ") {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(prefix + std::to_string(i));
    return all;
  }
};

TEST_F(CorpusRewriteTest, MergeJoinsDocumentsSplitsAndSources) {
  bytes_corpus("a.h5", {"one", "two", "three"}, {{"train", {{0, 2}}}, {"valid", {{2, 3}}}});
  bytes_corpus("b.h5", {"four", "five"}, {{"test", {{0, 1}}}, {"valid", {{1, 2}}}});
  const RewriteResult result =
      merge_corpora({.inputs = {path("a.h5"), path("b.h5")}, .output = path("c.h5")});
  EXPECT_EQ(texts("c.h5"), (std::vector<std::string>{"one", "two", "three", "four", "five"}));
  const auto corpus = Corpus::open(path("c.h5"), CorpusVerification::kFull);
  EXPECT_THAT(corpus->split("train"), ElementsAre(DocumentRange{0, 2}));
  EXPECT_THAT(corpus->split("valid"), ElementsAre(DocumentRange{2, 3}, DocumentRange{4, 5}));
  EXPECT_THAT(corpus->split("test"), ElementsAre(DocumentRange{3, 4}));
  EXPECT_EQ(corpus->attributes().sources, (std::vector<std::string>{"a", "b"}));
  for (std::uint64_t d = 0; d < 5; ++d) EXPECT_EQ(corpus->document_source(d), d < 3 ? 0u : 1u);
  EXPECT_THAT(result.to_text(), HasSubstr("5 documents, 24 tokens"));
  EXPECT_TRUE(verify_corpus(path("c.h5"), true).ok());

  // What is merged already keeps the names it has; alike names are told apart by their paths.
  std::filesystem::create_directory(path("other"));
  bytes_corpus("other/a.h5", {"six"});
  merge_corpora(
      {.inputs = {path("c.h5"), path("other/a.h5"), path("a.h5")}, .output = path("d.h5")});
  EXPECT_EQ(corpus_info(path("d.h5")).source_documents,
            (std::map<std::string, std::uint64_t>{
                {"a", 3}, {"b", 2}, {path("other/a.h5"), 1}, {path("a.h5"), 3}}));
  EXPECT_EQ(texts("d.h5").size(), 9u);
}

TEST_F(CorpusRewriteTest, MergeOfPartsIsTheWhole) {
  const auto all = numbered(3000, std::string(1500, 'x'));  // more tokens than are read at once
  bytes_corpus("whole.h5", all);
  bytes_corpus("a.h5", {all.begin(), all.begin() + 1000});
  bytes_corpus("b.h5", {all.begin() + 1000, all.end()});
  merge_corpora({.inputs = {path("a.h5"), path("b.h5")}, .output = path("c.h5")});
  const CorpusManifest whole = read_manifest(path("whole.h5"));
  const CorpusManifest merged = read_manifest(path("c.h5"));
  for (const char* name : {"/tokens", "/doc_offsets", "/doc_bytes", "/splits/train"}) {
    EXPECT_EQ(merged.table.datasets.at(name).sha256, whole.table.datasets.at(name).sha256) << name;
  }
}

TEST_F(CorpusRewriteTest, OnlyCorporaOfOneTokenizerAreMerged) {
  bytes_corpus("a.h5", {"one"});
  make_corpus("b.h5", {{1}});
  make_corpus("c.h5", {{1}}, 300);
  make_corpus("d.h5", {{1}}, 257, 256);
  const auto merge = [&](const char* first, const char* second) {
    return message([&] {
      merge_corpora({.inputs = {path(first), path(second)}, .output = path("o.h5")});
    });
  };
  EXPECT_THAT(merge("a.h5", "b.h5"), HasSubstr("b.h5: tokenizer_sha256 is test, that of "));
  EXPECT_THAT(merge("b.h5", "c.h5"), HasSubstr("c.h5: vocab_size is 300, that of "));
  EXPECT_THAT(merge("b.h5", "d.h5"), HasSubstr("d.h5: eos_id is 256, that of "));
  EXPECT_FALSE(std::filesystem::exists(path("o.h5")));
  EXPECT_THAT(message([&] { merge_corpora({.inputs = {path("a.h5")}, .output = path("o.h5")}); },
                      ExitCode::kUsage),
              HasSubstr("expected two or more corpora to join, got 1"));
}

TEST_F(CorpusRewriteTest, ByteCountsAreKeptIfAllHaveThem) {
  bytes_corpus("a.h5", {"one"});
  const auto a = Corpus::open(path("a.h5"), CorpusVerification::kFull);
  CorpusWriter writer(path("b.h5"),
                      {.vocab_size = 257,
                       .eos_id = 256,
                       .tokenizer_sha256 = a->tokenizer_sha256(),
                       .created_by = "",
                       .document_bytes = false},
                      false);
  writer.add_document(Ids{1}, 0);
  writer.finish({{"train", {{0, 1}}}}, "", {});
  const RewriteResult result =
      merge_corpora({.inputs = {path("b.h5"), path("a.h5")}, .output = path("c.h5")});
  EXPECT_TRUE(result.bytes_dropped);
  const auto merged = Corpus::open(path("c.h5"), CorpusVerification::kFull);
  EXPECT_FALSE(merged->has_document_bytes());
  EXPECT_NO_THROW(merged->load_tokenizer());
}

TEST_F(CorpusRewriteTest, DocumentsKeepTheirSideWhenTheCorpusGrows) {
  const auto shares = parse_split_shares("train=0.8,valid=0.1,test=0.1");
  auto all = numbered(3000);
  bytes_corpus("a.h5", all);
  split_corpus({.input = path("a.h5"), .output = path("s.h5"), .shares = shares});
  const auto before = sides("s.h5");
  std::map<std::string, int> counts;
  for (const auto& [text, split] : before) ++counts[split];
  EXPECT_EQ(before.size(), 3000u);
  EXPECT_NEAR(counts["valid"], 300, 66);  // four standard deviations
  EXPECT_NEAR(counts["test"], 300, 66);
  EXPECT_EQ(texts("s.h5"), all);

  all.insert(all.begin(), {"new in front", "text 5"});  // one of them twice
  const auto more = numbered(500, "more ");
  all.insert(all.end(), more.begin(), more.end());
  bytes_corpus("b.h5", all);
  split_corpus({.input = path("b.h5"), .output = path("t.h5"), .shares = shares});
  const auto after = sides("t.h5");
  for (const auto& [text, split] : before) EXPECT_EQ(after.at(text), split) << text;

  // A larger share takes from train alone.
  split_corpus({.input = path("a.h5"),
                .output = path("u.h5"),
                .shares = parse_split_shares("train=0.7,valid=0.3")});
  for (const auto& [text, split] : sides("u.h5")) {
    EXPECT_TRUE(before.at(text) != "valid" || split == "valid") << text;
  }
}

TEST_F(CorpusRewriteTest, ACorpusMaySplitInPlaceAndKeepsItsSources) {
  bytes_corpus("a.h5", numbered(40));
  bytes_corpus("b.h5", numbered(40, "b "));
  merge_corpora({.inputs = {path("a.h5"), path("b.h5")}, .output = path("c.h5")});
  const auto before = texts("c.h5");
  const RewriteResult result = split_corpus({.input = path("c.h5"),
                                             .output = path("c.h5"),
                                             .shares = parse_split_shares("valid=0.5,train=0.5"),
                                             .force = true});
  EXPECT_EQ(result.splits.size(), 2u);
  EXPECT_EQ(texts("c.h5"), before);
  EXPECT_EQ(corpus_info(path("c.h5")).source_documents,
            (std::map<std::string, std::uint64_t>{{"a", 40}, {"b", 40}}));
}

TEST_F(CorpusRewriteTest, ASplitThatNoDocumentCameToIsNamed) {
  bytes_corpus("a.h5", {"one"});
  const RewriteResult result = split_corpus({.input = path("a.h5"),
                                             .output = path("b.h5"),
                                             .shares = parse_split_shares("train=0.999,v=0.001")});
  EXPECT_THAT(result.to_text(), HasSubstr("; no document came to v: give it a larger share"));
}

TEST(SplitShares, WrongListsAreRefused) {
  const auto refusal = [](const std::string& text) {
    try {
      parse_split_shares(text);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(refusal("train=0.5"), "--splits: the shares add up to 0.5, expected 1");
  EXPECT_EQ(refusal(""), "--splits: the shares add up to 0, expected 1");
  EXPECT_EQ(refusal("a=0.5,a=0.5"), "--splits: a is given twice. Keep one");
  for (const char* part : {"a", "a=", "a=x", "a=1.5", "a=-1", "a=nan", "a/b=1", "=1", "a=1x"}) {
    EXPECT_EQ(refusal(part),
              concat("--splits: expected NAME=SHARE with a share of 0 to 1, got ", part));
  }
  EXPECT_EQ(parse_split_shares("train=0.98,valid=0.01,test=0.01").size(), 3u);
}

}  // namespace
}  // namespace pretrain
