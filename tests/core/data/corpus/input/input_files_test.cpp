#include "core/data/corpus/input/input_files.h"

#include <algorithm>
#include <filesystem>

#include "tests/core/data/corpus/corpus_fixture.h"

namespace pretrain {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Paths = std::vector<std::string>;

class InputFilesTest : public CorpusFixture {};

TEST_F(InputFilesTest, FoldersAndPatterns) {
  for (const char* name : {"d/b.txt", "d/a.txt", "d/sub/c.txt", "d/.hidden", "d/.git/x", "e.txt"}) {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    write(name, "x");
  }
  const auto files = [](const Paths& words) { return input_files(words, true).files; };
  EXPECT_EQ(files({path("e.txt"), path("d"), "-"}),
            (Paths{path("e.txt"), path("d/a.txt"), path("d/b.txt"), path("d/sub/c.txt"), "-"}));
  EXPECT_EQ(files({path("d/*.txt")}), (Paths{path("d/a.txt"), path("d/b.txt")}));
  write("[x].txt", "a file may be named like a pattern");
  EXPECT_EQ(files({path("[x].txt")}), Paths{path("[x].txt")});
  EXPECT_THAT(message([&] { files({path("*.none")}); }), HasSubstr("no file matches"));
  std::filesystem::create_directory(path("void"));
  EXPECT_THAT(message([&] { files({path("void")}); }), HasSubstr("holds no file"));
}

TEST_F(InputFilesTest, FilesOfFoldersAreTakenByTheirNames) {
  const Paths taken{"a.txt", "b.jsonl.gz", "c.csv", "e.md", "part.0001", "plain", "z.ndjson.zst"};
  const Paths left{"LICENSE", "README.md", "d.pdf",  "e.tar.gz",
                   "f.json",  "g.PARQUET", "h.html", "i.json"};
  std::filesystem::create_directories(path("d"));
  for (const Paths& names : {taken, left}) {
    for (const std::string& name : names) write("d/" + name, "x");
  }
  const auto below = [&](const Paths& names) {
    Paths paths;
    for (const std::string& name : names) paths.push_back(path("d/" + name));
    return paths;
  };
  InputFiles found = input_files({path("d")}, true);
  EXPECT_EQ(found.files, below(taken));
  std::sort(found.passed_over.begin(), found.passed_over.end());
  EXPECT_EQ(found.passed_over, below(left));
  EXPECT_THAT(passed_over_text(found.passed_over),
              HasSubstr("1 .html, 2 .json, 1 .parquet, 1 .pdf, 1 .tar, 1 LICENSE, 1 README.md"));
  EXPECT_EQ(passed_over_text({}), "");

  found = input_files({path("d")}, false);
  EXPECT_EQ(found.files.size(), taken.size() + left.size());
  EXPECT_EQ(found.passed_over, Paths());
  // A pattern names its files, but nobody means pictures.
  EXPECT_EQ(input_files({path("d/[f-i].*")}, true).files, below({"f.json", "h.html", "i.json"}));
  EXPECT_EQ(input_files({path("d/README.md"), path("d/h.html")}, true).files,
            below({"README.md", "h.html"}));
}

TEST_F(InputFilesTest, BinaryFilesAreRefusedWithAWayOut) {
  std::filesystem::create_directories(path("only"));
  for (const char* name : {"x.parquet", "x.pdf", "x.docx", "x.zip", "x.png", "x.h5", "x.arrow"}) {
    write(name, "x");
    const auto refusal = message([&] { input_files({path(name)}, true); });
    EXPECT_THAT(refusal, HasSubstr(path(name) + ": is "));
    EXPECT_EQ(input_files({path(name)}, false).files, Paths{path(name)});
  }
  EXPECT_THAT(message([&] { input_files({path("x.parquet")}, true); }),
              AllOf(HasSubstr("pyarrow"), HasSubstr(path("x.jsonl"))));
  EXPECT_THAT(message([&] { input_files({path("*.parquet")}, true); }), HasSubstr("pyarrow"));
  EXPECT_THAT(message([&] { input_files({path("x.pdf")}, true); }), HasSubstr("pdftotext"));
  write("only/x.parquet", "x");
  EXPECT_THAT(
      message([&] { input_files({path("only")}, true); }),
      AllOf(HasSubstr("holds no file of text"), HasSubstr("1 .parquet"), HasSubstr("pyarrow")));
  std::filesystem::create_directories(path("pages"));
  write("pages/x.html", "x");
  EXPECT_THAT(
      message([&] { input_files({path("pages")}, true); }),
      AllOf(HasSubstr("holds no file of text"), HasSubstr("1 .html"), HasSubstr("--format")));
}

}  // namespace
}  // namespace pretrain
