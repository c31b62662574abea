#include "core/data/corpus/corpus_builder.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "core/base/random.h"
#include "core/data/corpus/corpus_verify.h"
#include "core/text/unicode/utf8.h"
#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Strings = std::vector<std::string>;

class CorpusBuilderTest : public CorpusFixture {
 protected:
  BuildOptions options(const std::string& tokenizer, const Strings& inputs) const {
    BuildOptions o;
    o.output = path("a.h5");
    o.tokenizer = tokenizer;
    for (const std::string& input : inputs) o.inputs.push_back(input == "-" ? "-" : path(input));
    o.force = true;
    return o;
  }
  // The texts of a corpus, by its own tokenizer.
  Strings decoded(const std::string& file) const {
    const auto corpus = Corpus::open(file, CorpusVerification::kFull);
    const auto tokenizer = corpus->load_tokenizer();
    Strings texts;
    for (std::uint64_t d = 0; d < corpus->documents(); ++d) {
      const std::uint64_t begin = corpus->document_begin(d);
      std::vector<std::int64_t> ids(corpus->document_begin(d + 1) - begin);
      corpus->read_tokens(begin, ids);
      EXPECT_TRUE(corpus->eos_id() < 0 || ids.back() == corpus->eos_id());
      texts.push_back(tokenizer->decode(std::vector<std::uint32_t>(ids.begin(), ids.end())));
      EXPECT_EQ(texts.back().size(), corpus->document_bytes(d));
    }
    return texts;
  }
};

std::string random_text(RandomStream& random) {
  const std::uint32_t alphabet[] = {'a', 'b', ' ', '\t', 0xE4, 0x4E2D, 0x1F600, 0x7F, 0};
  std::string text;
  for (std::uint64_t n = 1 + random.below(40); n > 0; --n) {
    append_utf8(alphabet[random.below(std::size(alphabet))], text);
  }
  return text;
}

std::string json_of(const std::string& text) {
  std::string json = "{\"id\": 1, \"text\": \"";
  for (const char c : text) {
    if (c == '\0') {
      json += "\\u0000";
    } else if (c == '\t' || c == '\n') {
      json += c == '\t' ? "\\t" : "\\n";
    } else {
      json += c;
    }
  }
  return json + "\"}\n";
}

TEST_F(CorpusBuilderTest, DocumentsComeBackAsTheyWere) {
  RandomStream random(21, RandomPurpose::kTest, 0);
  for (int trial = 0; trial < 60; ++trial) {
    const std::string form = Strings{"blank", "line", "<|x|>", "jsonl"}[random.below(4)];
    Strings documents;
    std::string content;
    for (std::uint64_t n = 1 + random.below(30); n > 0; --n) {
      documents.push_back(random_text(random));
      if (form == "blank") documents.back().append("\n").append(random_text(random));
      if (form == "jsonl") documents.back() += "\n\n";
      const std::string end = form == "blank" ? "\n\n" : form == "line" ? "\n" : form;
      content += form == "jsonl" ? json_of(documents.back()) : documents.back() + end;
    }
    write("t.in", content);
    BuildOptions o = options(random.below(2) == 0 ? "byte" : "char", {"t.in"});
    o.format.format = form == "jsonl" ? "jsonl" : "text";
    o.format.doc_sep = form;
    if (random.below(2) == 0) o.eos = random.below(2) == 0;
    const BuildResult result = build_corpus(o);
    ASSERT_EQ(decoded(o.output), documents) << form << " trial " << trial;
    EXPECT_EQ(result.documents, documents.size());
    EXPECT_TRUE(verify_corpus(o.output, true).ok());
  }
}

TEST_F(CorpusBuilderTest, CountsEverything) {
  write("t.txt", "ab\n\nc\n\nde\n");
  write("v.txt", "xyz\n\nq\n");
  BuildOptions o = options("byte", {"t.txt"});
  o.format.doc_sep = "line";
  o.validation_inputs = {path("v.txt")};
  const BuildResult result = build_corpus(o);
  EXPECT_EQ(result.documents, 5u);
  EXPECT_EQ(result.empty_documents(), 3u);
  EXPECT_EQ(result.source_bytes, 9u);
  EXPECT_EQ(result.tokens, 14u);
  EXPECT_EQ(result.max_id, 256u);
  EXPECT_EQ(result.file_bytes, std::filesystem::file_size(o.output));
  EXPECT_THAT(result.to_text(),
              AllOf(HasSubstr("5 documents, 14 tokens (u16, vocab_size 257, max_id 256)"),
                    HasSubstr("; train 3 documents, 8 tokens; valid 2 documents, 6 tokens"),
                    HasSubstr("; 3 empty documents skipped")));
  const auto corpus = Corpus::open(o.output, CorpusVerification::kFull);
  EXPECT_THAT(corpus->split("train"), ElementsAre(DocumentRange{0, 3}));
  EXPECT_THAT(corpus->split("valid"), ElementsAre(DocumentRange{3, 5}));
  o.eos = false;
  EXPECT_EQ(build_corpus(o).tokens, 9u);
  EXPECT_EQ(Corpus::open(o.output, CorpusVerification::kFull)->eos_id(), -1);
}

TEST_F(CorpusBuilderTest, ValidationDocumentsAreChosenByTheirNumber) {
  std::string content;
  for (int i = 0; i < 5000; ++i) content += "x\n";
  write("t.txt", content);
  BuildOptions o = options("byte", {"t.txt"});
  o.format.doc_sep = "line";
  o.valid_fraction = 0.1;
  build_corpus(o);
  const auto valid_documents = [&] {
    const auto corpus = Corpus::open(o.output, CorpusVerification::kFull);
    const DocumentRanges ranges = corpus->split("valid");
    return std::vector<DocumentRange>(ranges.begin(), ranges.end());
  };
  const auto valid = valid_documents();
  std::uint64_t chosen = 0;
  for (const DocumentRange& range : valid) chosen += range.end - range.begin;
  EXPECT_NEAR(static_cast<double>(chosen), 500, 80);
  // More documents do not move the earlier ones.
  write("t.txt", content + content);
  build_corpus(o);
  const auto more = valid_documents();
  EXPECT_TRUE(std::equal(valid.begin(), valid.end() - 1, more.begin()));
}

TEST_F(CorpusBuilderTest, SmallCorporaHaveAValidationDocumentToo) {
  write("t.txt", "a\n\nb\n\nc\n");
  BuildOptions o = options("byte", {"t.txt"});
  const BuildResult three = build_corpus(o);
  ASSERT_EQ(three.splits.size(), 2u);
  EXPECT_EQ(three.splits[1].documents, 1u);
  o.valid_fraction = 0;
  EXPECT_EQ(build_corpus(o).splits.size(), 1u);
  write("t.txt", "only one");
  o.valid_fraction = 0.5;
  EXPECT_EQ(build_corpus(o).splits.size(), 1u);
}

TEST_F(CorpusBuilderTest, TheSameInputGivesTheSameBytes) {
  write("t.txt", "first\n\nsecond\n\nthird\n");
  const BuildOptions o = options("char", {"t.txt"});
  build_corpus(o);
  const Strings names = {"a.h5", "a.manifest.json", "a.tokenizer.json"};
  EXPECT_EQ(files(), (Strings{names[0], names[1], names[2], "t.txt"}));
  Strings before;
  for (const std::string& name : names) before.push_back(read(path(name)));
  build_corpus(o);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(read(path(names[i])), before[i]) << names[i];
}

TEST_F(CorpusBuilderTest, TokenizersComeFromFilesToo) {
  write("t.txt", "abba\n");
  write("tok.json", make_char_tokenizer({'a', 'b'}, false)->to_json());
  BuildOptions o = options(path("tok.json"), {"t.txt"});
  EXPECT_EQ(build_corpus(o).tokens, 4u);
  o.eos = true;
  EXPECT_THAT(message([&] { build_corpus(o); }, ExitCode::kUsage), StartsWith("--eos: tokenizer"));
  o.eos.reset();
  write("t.txt", "abc\n");
  EXPECT_THAT(message([&] { build_corpus(o); }), HasSubstr("U+0063 at byte 2"));
  EXPECT_THAT(message([&] { open_tokenizer(path("none.json")); }),
              HasSubstr("none.json: cannot open: No such"));
}

TEST_F(CorpusBuilderTest, SpecialTokensEnlargeTheVocabularyOnly) {
  write("t.txt", "a[MASK]b\n\n<pad>\n");
  for (const char* tokenizer : {"byte", "char"}) {
    BuildOptions o = options(tokenizer, {"t.txt"});
    const BuildResult plain = build_corpus(o);
    o.specials = {"<pad>", "[MASK]", "<x>"};
    const BuildResult special = build_corpus(o);
    EXPECT_EQ(special.vocab_size, plain.vocab_size + 3);
    EXPECT_EQ(special.max_id, plain.max_id);
    EXPECT_EQ(special.tokens, plain.tokens);
    EXPECT_NE(special.fingerprint, plain.fingerprint);
    EXPECT_EQ(decoded(o.output), (Strings{"a[MASK]b", "<pad>"}));
    const auto own = Corpus::open(o.output, CorpusVerification::kFull)->load_tokenizer();
    EXPECT_EQ(own->id_of("<x>"), special.vocab_size - 1);
    EXPECT_TRUE(verify_corpus(o.output, true).ok());
    // The file of a tokenizer brings its specials along.
    o.specials.clear();
    write("own.json", own->to_json());
    o.tokenizer = path("own.json");
    EXPECT_EQ(build_corpus(o).fingerprint, special.fingerprint);
  }
}

TEST_F(CorpusBuilderTest, SpecialTokensThatCannotBe) {
  write("t.txt", "abc");
  write("tok.json", make_byte_tokenizer()->to_json());
  const Strings before = files();
  const auto refused = [&](const std::string& tokenizer, const Strings& specials) {
    BuildOptions o = options(tokenizer, {"t.txt"});
    o.specials = specials;
    return message([&] { build_corpus(o); }, ExitCode::kUsage);
  };
  EXPECT_THAT(refused(path("tok.json"), {"[A]"}),
              AllOf(HasSubstr("--special adds tokens to byte or char"), HasSubstr("tok.json")));
  for (const char* tokenizer : {"byte", "char"}) {
    EXPECT_THAT(refused(tokenizer, {"[A]", "[A]"}), HasSubstr("[A]: is given twice"));
    EXPECT_THAT(refused(tokenizer, {"b"}), HasSubstr("b: is an ordinary symbol"));
  }
  EXPECT_EQ(files(), before);
}

TEST_F(CorpusBuilderTest, ReadsTheStandardInput) {
  const std::string file = write("t.txt", "one\n\ntwo\n");
  const int saved = dup(STDIN_FILENO);
  ASSERT_NE(std::freopen(file.c_str(), "r", stdin), nullptr);
  BuildOptions o = options("byte", {"-"});
  EXPECT_EQ(build_corpus(o).documents, 2u);
  dup2(saved, STDIN_FILENO);
  close(saved);
  o.tokenizer = "char";
  EXPECT_THAT(message([&] { build_corpus(o); }, ExitCode::kUsage),
              HasSubstr("reads its input twice"));
  o.inputs = {"-", "-"};
  EXPECT_THAT(message([&] { build_corpus(o); }, ExitCode::kUsage), HasSubstr("- is given 2 times"));
}

TEST_F(CorpusBuilderTest, BadInputsLeaveNothingBehind) {
  write("t.txt", "good\n\nbad \xff\n");
  write("t.jsonl", "{\"text\": \"good\"}\n{\"body\": \"no text\"}\n");
  write("empty.txt", "\n\n");
  const Strings before = files();
  for (const char* tokenizer : {"byte", "char"}) {
    EXPECT_THAT(message([&] { build_corpus(options(tokenizer, {"t.txt"})); }),
                HasSubstr("t.txt: byte 10 is not valid UTF-8"));
    EXPECT_THAT(message([&] { build_corpus(options(tokenizer, {"t.jsonl"})); }),
                HasSubstr("t.jsonl:2: no field \"text\", fields here: body"));
    EXPECT_THAT(message([&] { build_corpus(options(tokenizer, {"empty.txt"})); }),
                HasSubstr("the corpus would be empty"));
    EXPECT_THAT(message([&] { build_corpus(options(tokenizer, {"none.txt"})); }),
                HasSubstr("none.txt: cannot open"));
    EXPECT_EQ(files(), before);
  }
}

TEST_F(CorpusBuilderTest, OptionsThatMakeNoSense) {
  write("t.txt", "a");
  EXPECT_THAT(message([&] { build_corpus(options("byte", {})); }, ExitCode::kUsage),
              HasSubstr("no input"));
  for (const double fraction : {-0.1, 1.0, std::nan("")}) {
    BuildOptions o = options("byte", {"t.txt"});
    o.valid_fraction = fraction;
    EXPECT_THAT(message([&] { build_corpus(o); }, ExitCode::kUsage),
                StartsWith("--valid-fraction: expected"));
  }
  write("a.h5", "mine");
  BuildOptions o = options("byte", {"none.txt"});
  o.force = false;  // known before the input is opened
  EXPECT_THAT(message([&] { build_corpus(o); }, ExitCode::kCannotCreate), HasSubstr("exists"));
}

TEST_F(CorpusBuilderTest, ProgressMayStopIt) {
  write("t.txt", "a\n\nb\n");
  Strings phases;
  build_corpus(options("char", {"t.txt"}), [&](const Progress& progress) {
    if (phases.empty() || phases.back() != progress.phase) phases.push_back(progress.phase);
    EXPECT_LE(progress.done, progress.total);
  });
  EXPECT_EQ(phases, (Strings{"collecting", "reading", "writing", "digesting"}));
  BuildOptions o = options("byte", {"t.txt"});
  o.output = path("b.h5");
  const auto stop = [](const Progress&) { throw Error(ExitCode::kStopped, "stop"); };
  EXPECT_EQ(message([&] { build_corpus(o, stop); }, ExitCode::kStopped), "stop");
  EXPECT_EQ(files(), (Strings{"a.h5", "a.manifest.json", "a.tokenizer.json", "t.txt"}));
}

}  // namespace
}  // namespace pretrain
