#include "core/data/corpus/build/corpus_build.h"

#include <sys/resource.h>

#include "core/base/random.h"
#include "core/data/corpus/corpus_builder.h"
#include "core/data/corpus/corpus_verify.h"
#include "tests/core/base/no_more_threads.h"
#include "tests/core/data/corpus/corpus_fixture.h"
#include "tests/testing/expect_error.h"
#include "tests/testing/full_disk.h"

namespace pretrain {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Strings = std::vector<std::string>;

class CorpusBuildTest : public CorpusFixture {
 protected:
  // `count` documents of some hundred bytes: 9,000 are two batches.
  static std::string lines(std::uint64_t count, std::uint64_t seed = 1) {
    RandomStream random(seed, RandomPurpose::kTest, 0);
    std::string text;
    for (std::uint64_t i = 0; i < count; ++i) {
      for (std::uint64_t n = 20 + random.below(60); n > 0; --n) {
        text += static_cast<char>('a' + random.below(26));
        text += n % 5 == 0 ? " " : std::to_string(random.below(1000));
      }
      text += '\n';
    }
    return text;
  }
  BuildOptions options(const Strings& inputs) const {
    BuildOptions o;
    o.output = path("a.h5");
    o.tokenizer = "byte";
    for (const std::string& input : inputs) o.inputs.push_back(path(input));
    o.format.doc_sep = "line";
    o.part_bytes = 1;
    o.jobs = 2;
    return o;
  }
  // Ends the build when `documents` have been stored.
  static ProgressFunction stop_at(std::uint64_t documents) {
    return [documents](const Progress& progress) {
      if (progress.documents >= documents) throw Error(ExitCode::kStopped, "stop");
    };
  }
  Strings outputs(const std::string& begin = "a.") const {
    Strings all;
    for (const std::string& name : files()) {
      if (name.starts_with(begin) && name != "a.h5.build")
        all.push_back(name + "\n" + read(path(name)));
    }
    return all;
  }
  void remove_outputs() const {
    for (const std::string& name : files()) {
      if (name.starts_with("a.")) std::filesystem::remove(path(name));
    }
  }
};

TEST_F(CorpusBuildTest, BytesDoNotDependOnThreadsOrParts) {
  write("t.txt", lines(12000));
  BuildOptions o = options({"t.txt"});
  o.jobs = 1;
  o.part_bytes = std::uint64_t{1} << 30;
  const BuildResult one = build_corpus(o);
  EXPECT_EQ(one.documents, 12000u);
  const Strings expected = outputs();
  for (const std::size_t jobs : {2u, 5u}) {
    remove_outputs();
    o.jobs = jobs;
    o.part_bytes = 1;
    build_corpus(o);
    EXPECT_EQ(outputs(), expected) << jobs;
  }
  EXPECT_TRUE(verify_corpus(o.output, true).ok());
}

TEST_F(CorpusBuildTest, AStoppedBuildGoesOnToTheSameBytes) {
  write("t.txt", lines(9000));
  write("u.txt", lines(9000, 2));
  write("v.txt", lines(500, 3));
  BuildOptions o = options({"t.txt", "u.txt", "t.txt"});
  o.validation_inputs = {path("v.txt")};
  o.duplicates = {.exact = true, .near = 0.9};
  build_corpus(o);
  const Strings expected = outputs();
  ASSERT_EQ(expected.size(), 4u);  // with the report
  remove_outputs();
  RandomStream random(5, RandomPurpose::kTest, 0);
  std::uint64_t stops = 0;
  std::uint64_t taken_over = 0;
  for (std::uint64_t at = 1000;; at += 1000 + random.below(4000)) {
    o.jobs = 1 + random.below(4);
    try {
      taken_over = build_corpus(o, stop_at(at)).taken_over;
      break;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kStopped) << error.what();
      ++stops;
    }
    EXPECT_TRUE(outputs().empty() || files()[0] == "a.h5.build") << files()[0];
  }
  EXPECT_GE(stops, 5u);
  EXPECT_GT(taken_over, 10000u);
  EXPECT_EQ(outputs(), expected);
}

TEST_F(CorpusBuildTest, WhatChangedSinceIsNamed) {
  write("t.txt", lines(9000));
  BuildOptions o = options({"t.txt"});
  const auto stopped = [&] {
    o.restart = true;
    const std::string said = message([&] { build_corpus(o, stop_at(5000)); }, ExitCode::kStopped);
    o.restart = false;
    EXPECT_THAT(said, HasSubstr("a.h5.build: the same command goes on there"));
  };
  stopped();
  BuildOptions changed = o;
  changed.format.doc_sep = "blank";
  EXPECT_THAT(message([&] { build_corpus(changed); }, ExitCode::kUsage),
              HasSubstr("--doc-sep was line, is blank"));
  changed = o;
  changed.tokenizer = "char";
  EXPECT_THAT(message([&] { build_corpus(changed); }, ExitCode::kUsage),
              HasSubstr("--tokenizer was byte (sha256 "));
  changed = o;
  changed.quality.min_chars = 9;
  EXPECT_THAT(message([&] { build_corpus(changed); }, ExitCode::kUsage),
              HasSubstr("--min-chars was not given, is 9"));
  write("u.txt", "x\n");
  changed = o;
  changed.inputs.push_back(path("u.txt"));
  EXPECT_THAT(message([&] { build_corpus(changed); }),
              HasSubstr("of 1 input files, now there are 2"));
  // An input that is gone for a while costs nothing.
  std::filesystem::rename(path("t.txt"), path("moved"));
  EXPECT_THAT(message([&] { build_corpus(o); }), HasSubstr("t.txt: cannot open"));
  std::filesystem::rename(path("moved"), path("t.txt"));
  EXPECT_GT(build_corpus(o).taken_over, 0u);

  o.force = true;
  stopped();
  write("t.txt", lines(9000, 7));
  EXPECT_THAT(message([&] { build_corpus(o); }), HasSubstr("--restart"));
  o.restart = true;
  EXPECT_EQ(build_corpus(o).taken_over, 0u);
}

TEST_F(CorpusBuildTest, AFolderDoesNotMeanWhatTheBuildWritesThere) {
  std::filesystem::create_directory(path("d"));
  write("d/t.txt", lines(12000));
  BuildOptions o = options({"d"});
  o.output = path("d/a.h5");
  o.jobs = 1;
  testing::expect_error(ExitCode::kStopped, "stop", [&] { build_corpus(o, stop_at(5000)); });
  const BuildResult gone_on = build_corpus(o);
  EXPECT_GT(gone_on.taken_over, 0u);
  EXPECT_EQ(gone_on.documents, 12000u);
  o.force = true;
  EXPECT_EQ(build_corpus(o).documents, 12000u);
}

TEST_F(CorpusBuildTest, AStreamDoesNotReplaceAnUnfinishedBuild) {
  write("t.txt", lines(12000));
  BuildOptions o = options({"t.txt"});
  o.jobs = 1;
  testing::expect_error(ExitCode::kStopped, "stop", [&] { build_corpus(o, stop_at(5000)); });
  BuildOptions stream = o;
  stream.inputs = {"-"};
  testing::expect_error(ExitCode::kUsage, "unfinished build", [&] { build_corpus(stream); });
  EXPECT_GT(build_corpus(o).taken_over, 0u);
}

TEST_F(CorpusBuildTest, MoreThreadsThanMachinesHaveAreRefused) {
  write("t.txt", "a\n");
  BuildOptions o = options({"t.txt"});
  o.jobs = 100000;
  testing::expect_error(ExitCode::kUsage, "--jobs: expected at most 1024",
                        [&] { build_corpus(o); });
}

TEST_F(CorpusBuildTest, WithoutThreadsItEndsAndLeavesNothing) {
  write("t.txt", "a\n");
  {
    const testing::NoMoreThreads none;
    EXPECT_THAT(message([&] { build_corpus(options({"t.txt"})); }, ExitCode::kOutOfMemory),
                HasSubstr("cannot start the thread that holds it"));
  }
  EXPECT_EQ(files(), Strings{"t.txt"});
}

TEST_F(CorpusBuildTest, DamageToWhatIsTakenOverIsSeen) {
  write("t.txt", lines(9000));
  const BuildOptions o = options({"t.txt"});
  for (const char* name : {"tokens", "doc_offsets", "journal.json"}) {
    BuildOptions anew = o;
    anew.restart = true;
    message([&] { build_corpus(anew, stop_at(5000)); }, ExitCode::kStopped);
    std::string content = read(path("a.h5.build/") + name);
    content[content.size() / 3] ^= 1;
    write(std::string("a.h5.build/") + name, content);
    EXPECT_THAT(message([&] { build_corpus(o); }), HasSubstr(name));
  }
}

TEST_F(CorpusBuildTest, AFullDiskIsRecoveredFrom) {
  write("t.txt", lines(9000));
  const BuildOptions o = options({"t.txt"});
  build_corpus(o);
  const Strings expected = outputs();
  remove_outputs();
  message([&] { build_corpus(o, stop_at(5000)); }, ExitCode::kStopped);
  {
    const testing::FullDisk full;
    EXPECT_THAT(message([&] { build_corpus(o); }, ExitCode::kCannotCreate),
                HasSubstr("the same command goes on there"));
  }
  EXPECT_EQ(files(), (Strings{"a.h5.build", "t.txt"}));
  EXPECT_GT(build_corpus(o).taken_over, 0u);
  EXPECT_EQ(outputs(), expected);
  // Without anything durable nothing stays.
  remove_outputs();
  {
    const testing::FullDisk full;
    message([&] { build_corpus(o); }, ExitCode::kCannotCreate);
  }
}

TEST_F(CorpusBuildTest, ShardsHoldTheDocumentsInOrder) {
  write("t.txt", lines(3000));
  BuildOptions o = options({"t.txt"});
  const BuildResult whole = build_corpus(o);
  const auto corpus = Corpus::open(o.output, CorpusVerification::kFull);
  o.output = path("s.h5");
  o.shard_tokens = whole.tokens / 5;
  const BuildResult sharded = build_corpus(o);
  EXPECT_EQ(sharded.shards, 6u);
  EXPECT_EQ(sharded.tokens, whole.tokens);
  EXPECT_EQ(sharded.documents, whole.documents);
  EXPECT_EQ(sharded.max_id, whole.max_id);
  ASSERT_EQ(sharded.splits.size(), 2u);
  EXPECT_EQ(sharded.splits[1].documents, whole.splits[1].documents);
  std::vector<std::int64_t> all(whole.tokens);
  std::vector<std::int64_t> joined;
  corpus->read_tokens(0, all);
  for (int i = 0; i < 6; ++i) {
    const std::string name = path(concat("s-0000", i, "-of-00006.h5"));
    EXPECT_TRUE(verify_corpus(name, true).ok());
    const auto shard = Corpus::open(name, CorpusVerification::kFull);
    EXPECT_LE(shard->tokens(), o.shard_tokens);
    std::vector<std::int64_t> part(shard->tokens());
    shard->read_tokens(0, part);
    joined.insert(joined.end(), part.begin(), part.end());
    EXPECT_EQ(shard->load_tokenizer()->vocab_size(), 257);
  }
  EXPECT_EQ(joined, all);
  EXPECT_THAT(message([&] { build_corpus(o); }, ExitCode::kCannotCreate), HasSubstr("exists"));
  // Other shards of the same name do not stay beside the new ones.
  o.force = true;
  o.shard_tokens = whole.tokens / 2;
  const BuildResult fewer = build_corpus(o);
  for (const std::string& name : files()) {
    if (!name.starts_with("s-")) continue;
    EXPECT_THAT(name, HasSubstr(concat("-of-0000", fewer.shards)));
  }
}

TEST_F(CorpusBuildTest, TheTokenizerMayLieWhereItsCopyGoes) {
  write("t.txt", "abba\nab\n");
  const std::string pretty = "\n" + make_char_tokenizer({'a', 'b'}, true)->to_json();
  write("a.tokenizer.json", pretty);
  BuildOptions o = options({"t.txt"});
  o.tokenizer = path("a.tokenizer.json");
  EXPECT_EQ(build_corpus(o).tokens, 8u);
  EXPECT_EQ(read(path("a.tokenizer.json")), pretty);
  EXPECT_EQ(Corpus::open(o.output, CorpusVerification::kFull)->load_tokenizer()->vocab_size(), 3);
  o.force = true;
  EXPECT_EQ(build_corpus(o).tokens, 8u);
  EXPECT_EQ(read(path("a.tokenizer.json")), pretty);
}

TEST_F(CorpusBuildTest, ATokenizerNamedLikeAShardsCopyStays) {
  write("t.txt", "abba\nab\nba\nbab\n");
  const std::string pretty = "\n" + make_char_tokenizer({'a', 'b'}, true)->to_json();
  for (const char* name : {"a-00000-of-00002.tokenizer.json", "a-00007-of-00009.tokenizer.json"}) {
    BuildOptions o = options({"t.txt"});
    o.tokenizer = write(name, pretty);
    o.shard_tokens = 8;
    EXPECT_EQ(build_corpus(o).shards, 2u);
    EXPECT_EQ(read(o.tokenizer), pretty);
    o.force = true;
    o.shard_tokens = 0;
    build_corpus(o);
    EXPECT_EQ(read(o.tokenizer), pretty);
    EXPECT_TRUE(verify_corpus(o.output, true).ok());
    std::filesystem::remove(o.tokenizer);
    remove_outputs();
  }
}

TEST_F(CorpusBuildTest, AnInputIsNeverReplaced) {
  write("t.txt", "abba\n");
  write("a.report.json", "{\"text\": \"one\"}\n");
  BuildOptions o = options({"t.txt", "a.report.json"});
  o.force = true;
  EXPECT_THAT(message([&] { build_corpus(o); }, ExitCode::kUsage),
              HasSubstr("a.report.json: is an input, and a file that the build makes or replaces. "
                        "Choose another name for the corpus"));
  EXPECT_EQ(files(), (Strings{"a.report.json", "t.txt"}));
}

TEST_F(CorpusBuildTest, TheFirstBadDocumentInOrderIsNamed) {
  write("t.txt", lines(4000) + "bad \xff\n" + lines(9000) + "worse \xff\n");
  BuildOptions o = options({"t.txt"});
  for (const std::size_t jobs : {1u, 4u}) {
    o.jobs = jobs;
    o.restart = true;
    const std::size_t at = lines(4000).size() + 4;
    EXPECT_THAT(message([&] { build_corpus(o); }),
                HasSubstr(concat("t.txt: byte ", at, " is not")));
  }
  EXPECT_EQ(files(), Strings{"t.txt"});
}

TEST_F(CorpusBuildTest, OneBuildAtATime) {
  write("t.txt", lines(9000));
  const BuildOptions o = options({"t.txt"});
  std::string said;
  build_corpus(o, [&](const Progress&) {
    if (said.empty()) said = message([&] { build_corpus(o); }, ExitCode::kLocked);
  });
  EXPECT_THAT(said, HasSubstr("another command makes this corpus"));
}

TEST_F(CorpusBuildTest, ABuildDoesNotDisturbAnImportOfTheSameName) {
  write("t.txt", "abba\n");
  BuildOptions o = options({"t.txt"});
  o.force = true;
  CorpusWriter writer(o.output, {.vocab_size = 9, .tokenizer_sha256 = "", .created_by = ""}, true);
  writer.add_document(std::vector<std::uint32_t>{1, 2, 3}, 3);
  bool met = false;
  writer.finish({{"train", {{0, 1}}}}, "", [&](const Progress&) {
    met = true;
    EXPECT_THAT(message([&] { build_corpus(o); }, ExitCode::kLocked),
                HasSubstr("another command makes this corpus"));
  });
  EXPECT_TRUE(met);
  EXPECT_EQ(Corpus::open(o.output, CorpusVerification::kFull)->tokens(), 3u);
  EXPECT_EQ(files(), (Strings{"a.h5", "a.manifest.json", "t.txt"}));
}

TEST_F(CorpusBuildTest, AnImportLeavesAnUnfinishedBuild) {
  write("t.txt", lines(9000));
  BuildOptions o = options({"t.txt"});
  message([&] { build_corpus(o, stop_at(5000)); }, ExitCode::kStopped);
  make_corpus("a.h5", {{1, 2, 3}});
  o.force = true;
  EXPECT_GT(build_corpus(o).taken_over, 0u);
}

TEST_F(CorpusBuildTest, FiltersReportWhatTheyDrop) {
  std::string good = "The first document has words and lines that are not like others";
  write("t.jsonl", "{\"text\":\"" + good +
                       "\"}\n{\"text\":\"short\"}\n{\"text\":\"\"}\n{\"text\":\"" + good +
                       "\"}\n{\"text\":\"" + good + " at all\"}\n");
  BuildOptions o = options({"t.jsonl"});
  o.quality.min_chars = 10;
  o.duplicates = {.exact = true, .near = 0.7};
  const BuildResult result = build_corpus(o);
  EXPECT_EQ(result.documents, 1u);
  const auto& reasons = result.report.reasons;
  ASSERT_EQ(reasons.size(), 4u);
  EXPECT_EQ(reasons.at("exact duplicate").documents, 1u);
  EXPECT_EQ(reasons.at("exact duplicate").bytes, good.size());
  EXPECT_EQ(reasons.at("exact duplicate").samples[0].document, 3u);
  EXPECT_THAT(reasons.at("near duplicate").samples[0].place, HasSubstr("t.jsonl:5"));
  EXPECT_EQ(reasons.at("shorter than --min-chars").documents, 1u);
  EXPECT_THAT(result.report.to_text(), HasSubstr("dropped: empty: 1 documents, 0 B"));
  EXPECT_EQ(DropReport::from_json(read(path("a.report.json")), "r"), result.report);
}

TEST_F(CorpusBuildTest, MemoryForDuplicatesIsBounded) {
  write("t.txt", lines(9000));
  BuildOptions o = options({"t.txt"});
  o.duplicates = {.exact = false, .near = 0.8, .max_bytes = 7 << 20};
  EXPECT_THAT(message([&] { build_corpus(o); }, ExitCode::kOutOfMemory),
              AllOf(HasSubstr("Raise --dedup-memory"), HasSubstr("goes on there")));
  o.duplicates.max_bytes = 64 << 20;
  EXPECT_GT(build_corpus(o).taken_over, 0u);
}

}  // namespace
}  // namespace pretrain
