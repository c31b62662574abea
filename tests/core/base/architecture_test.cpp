// The rules of the source tree, on this repository and, to see that each can fail, on small
// made-up trees.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/testing/source_rules.h"
#include "tests/testing/source_tree.h"

namespace pretrain {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

using Files = std::map<std::string, std::string>;  // path -> text

// Writes files below a folder of its own and removes it at the end.
class MadeUpTree {
 public:
  explicit MadeUpTree(const Files& files) {
    std::string name = (fs::temp_directory_path() / "architecture_test.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    root_ = name;
    for (const auto& [path, text] : files) {
      fs::create_directories((root_ / path).parent_path());
      std::ofstream(root_ / path) << text;
    }
  }
  ~MadeUpTree() { fs::remove_all(root_); }
  MadeUpTree(const MadeUpTree&) = delete;
  MadeUpTree& operator=(const MadeUpTree&) = delete;

  SourceTree read() const { return SourceTree(root_); }

 private:
  fs::path root_;
};

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "//\n";
  return text;
}

// A small tree that keeps every rule, close to the edge of each.
Files clean_tree() {
  Files files = {
      {"CMakeLists.txt", ""},
      {"LICENSE", ""},
      {"README.md", lines(100)},
      {".gitignore", ""},
      {"build/core/x.cpp", "#ifdef X\n"},
      {"configs/a.yaml", ""},
      {"core/README.md", lines(60)},
      {"core/model.h",
       "// A model.\n#pragma once\n#include <ATen/core/Tensor.h>\n#include <map>\n"},
      {"core/trainer.cpp", lines(199) + "#include <hdf5.h>  // third parties in a .cpp\n"},
      {"core/base/README.md", ""},
      {"core/base/error.h", "#pragma once\n" + lines(119)},
      {"core/base/error.cpp",
       "#include \"core/base/error.h\"\n"
       "// exit(1); #if 0\n"
       "/* abort();\n   exit(2); */\n"
       "#ifdef __SANITIZE_ADDRESS__\n#endif\n"
       "const char* text = \"; exit(1); catch (...) {}\";\n"
       "const char* raw = R\"(\n#ifdef X\nexit(1);\n)\";\n"
       "const int big = 1'000; const char quote = '\"';\n"
       "void abort(); struct A { void exit(); };\n"
       "void f(A& a) { a.exit(); at_exit(); Foo::abort(); }\n"
       "void g() { try { f(); } catch (...) {\n  stop();\n  throw;\n} }\n"},
      {"core/base/isolated_call.cpp", "void child() { _exit(0); }\n"},
      {"parallel/README.md", ""},
      {"parallel/reducer.cpp", "#include \"core/model.h\"\n" + lines(399)},
      {"models/README.md", ""},
      {"models/transformer.cpp", "#include \"parallel/mesh.h\"\n"},
      {"parallel/mesh.h", "#pragma once\n"},
      {"objectives/README.md", ""},
      {"objectives/causal_lm.cpp", "#include \"models/decoder.h\"\n"},
      {"models/decoder.h", "#pragma once\n"},
      {"launch/README.md", ""},
      {"launch/main.cpp", "int main() { try { run(); } catch (...) { _exit(70); } }\n"},
      {"tests/core/base/error_test.cpp", "#include \"launch/main.cpp\"\nvoid f() { _exit(1); }\n"},
      {"tests/testing/fakes.h", "#pragma once\n#include <gtest/gtest.h>\n"},
      {"tests/run.sh", ""},
  };
  for (char name = 'a'; name < 'a' + 11; ++name) {  // with decoder and transformer: 12 and one pair
    if (name == 'k') continue;
    files[std::string("models/") + name + ".cpp"] = "";
    files[std::string("models/") + name + ".h"] = "#pragma once\n";
  }
  return files;
}

struct Violation {
  Files files;          // put into the clean tree
  std::string finding;  // how the one finding begins
};

struct Rule {
  std::string name;
  Findings (*check)(const SourceTree&);
  std::vector<Violation> violations;
};

void PrintTo(const Rule& rule, std::ostream* out) { *out << rule.name; }

// Parts of words that the rules look for, so that this file does not break them.
const std::string kUnfinished = std::string("TO") + "DO";

const std::vector<Rule>& rules() {
  static const std::vector<Rule> kRules = {
      {"IncludesPointLeft",
       includes_point_left,
       {{{{"core/a.cpp", "\n#include \"parallel/mesh.h\"\n"}}, "core/a.cpp:2: parallel/mesh.h"},
        {{{"models/a.h", "#pragma once\n#include \"launch/b.h\"\n"}}, "models/a.h:2: launch/b.h"}}},
      {"IncludesExist",
       includes_exist,
       {{{{"core/a.cpp", "#include \"model.h\"\n"}}, "core/a.cpp:1: model.h"},
        {{{"core/a.cpp", "#include \"core/../core/model.h\"\n"}}, "core/a.cpp:1: core/../core"},
        {{{"tests/core/a_test.cpp", "#include \"core/b.h\"\n"}},
         "tests/core/a_test.cpp:1: core/b"}}},
      {"HeadersHideThirdParties",
       headers_hide_third_parties,
       {{{{"core/a.h", "#pragma once\n#include <hdf5.h>\n"}}, "core/a.h:2: hdf5.h"},
        {{{"core/a.h", "#pragma once\n#include <spdlog/logger>\n"}}, "core/a.h:2: spdlog/logger"},
        {{{"core/a.h", "#pragma once\n#include <torch/torch.h>\n"}}, "core/a.h:2: torch/torch.h"}}},
      {"FormatsAreFreeOfTorch",
       formats_are_free_of_torch,
       {{{{"core/data/a.cpp", "#include <c10/util/Half.h>\n"}}, "core/data/a.cpp:1: "},
        {{{"core/data/b/a.cpp", "#include <c10/util/Half.h>\n"}}, "core/data/b/a.cpp:1: "},
        {{{"core/text/a.cpp", "#include \"core/b.h\"\n"},
          {"core/b.h", "#pragma once\n#include \"core/model.h\"\n"}},
         "core/text/a.cpp:1: includes torch: -> core/b.h -> core/model.h -> ATen/core/Tensor.h"}}},
      {"FilesAreShort",
       files_are_short,
       {{{{"core/a.cpp", lines(401)}}, "core/a.cpp:401: 401 lines, at most 400"},
        {{{"core/a.h", lines(121)}}, "core/a.h:121: 121 lines, at most 120"},
        {{{"core/trainer.cpp", lines(201)}}, "core/trainer.cpp:201: "},
        {{{"tests/core/a_test.cpp", lines(401)}}, "tests/core/a_test.cpp:401: "},
        {{{"tests/core/a.h", lines(121)}}, "tests/core/a.h:121: "},
        {{{"launch/main.cpp", lines(61)}}, "launch/main.cpp:61: "}}},
      {"FoldersAreSmall",
       folders_are_small,
       {{{{"models/thirteenth.h", "#pragma once\n"}}, "models:1: 13 subjects, at most 12"}}},
      {"TopLevelIsFixed",
       top_level_is_fixed,
       {{{{"docs/a.md", ""}}, "docs:1: is not an entry of the root"},
        {{{"notes.txt", ""}}, "notes.txt:1: is not an entry of the root"}}},
      {"FoldersHaveAReadme",
       folders_have_a_readme,
       {{{{"core/optim/adamw.cpp", ""}}, "core/optim/README.md:1: is missing"},
        {{{"tests/README.md", lines(61)}}, "tests/README.md:61: 61 lines, at most 60"}}},
      {"NamesAreClear",
       names_are_clear,
       {{{{"core/file_utils.h", ""}}, "core/file_utils.h:1: the name says nothing"},
        {{{"tests/helpers/a.py", ""}}, "tests/helpers/a.py:1: the name says nothing"},
        {{{"core/Trainer.cpp", ""}}, "core/Trainer.cpp:1: the name is not snake_case"}}},
      {"TestsMirrorSources",
       tests_mirror_sources,
       {{{{"tests/core/optimum/a_test.cpp", ""}}, "tests/core/optimum/a_test.cpp:1: "},
        {{{"tests/a_test.cpp", ""}}, "tests/a_test.cpp:1: "},
        {{{"tests/configs/a_test.cpp", ""}}, "tests/configs/a_test.cpp:1: "}}},
      {"HeadersHavePragmaOnce",
       headers_have_pragma_once,
       {{{{"core/a.h", "// A thing.\n\nint a;\n#pragma once\n"}}, "core/a.h:3: "},
        {{{"tests/testing/a.h", ""}}, "tests/testing/a.h:1: "}}},
      {"TypesHaveOneDefinition",
       types_have_one_definition,
       {{{{"core/a.h", "#pragma once\nstruct A {\n};\n"},
          {"launch/a.h", "#pragma once\n\nclass A : public B {\n};\n"}},
         "launch/a.h:3: A is defined at core/a.h:2 too"}}},
      {"NoConditionalCompilation",
       no_conditional_compilation,
       {{{{"core/a.cpp", "int a;\n#ifdef NDEBUG\n"}}, "core/a.cpp:2: conditional compilation"},
        {{{"core/a.cpp", " # if 0\n"}}, "core/a.cpp:1: conditional compilation"}}},
      {"OnlyLaunchExits",
       only_launch_exits,
       {{{{"core/a.cpp", "void f() {\n  exit(1);\n}\n"}}, "core/a.cpp:2: ends the process"},
        {{{"core/a.cpp", "void f() { if (x) std::abort(); }\n"}}, "core/a.cpp:1: "},
        {{{"models/a.cpp", "void f() { g(); ::_exit(1); }\n"}}, "models/a.cpp:1: "},
        {{{"parallel/a.cpp", "auto f = [] { return std::terminate(); };\n"}},
         "parallel/a.cpp:1: "}}},
      {"ExceptionsAreNotSwallowed",
       exceptions_are_not_swallowed,
       {{{{"core/a.cpp", "void f() {\n  try { g(); } catch (...) {\n  }\n  throw 1;\n}\n"}},
         "core/a.cpp:2: catch (...) swallows"},
        {{{"launch/main.cpp", "void f() { try {} catch (E&) {} }\nvoid g() { try {} }\n"}},
         "launch/main.cpp:2: a second try block"}}},
      {"NothingIsLeftToDo",
       nothing_is_left_to_do,
       {{{{"core/a.cpp", "int a;  // " + kUnfinished + ": more\n"}}, "core/a.cpp:1: unfinished"},
        {{{"tests/run.sh", "# " + kUnfinished + "\n"}}, "tests/run.sh:1: unfinished"}}},
  };
  return kRules;
}

class Architecture : public testing::TestWithParam<Rule> {};

TEST_P(Architecture, HoldsInThisRepository) {
  const SourceTree tree(PRETRAIN_SOURCE_DIR);
  ASSERT_TRUE(tree.has("core/base/error.h"));
  for (const std::string& finding : GetParam().check(tree)) ADD_FAILURE() << finding;
}

TEST_P(Architecture, HoldsInACleanTree) {
  EXPECT_THAT(GetParam().check(MadeUpTree(clean_tree()).read()), IsEmpty());
}

TEST_P(Architecture, FindsEachViolation) {
  for (const Violation& violation : GetParam().violations) {
    Files files = clean_tree();
    for (const auto& [path, text] : violation.files) files[path] = text;
    EXPECT_THAT(GetParam().check(MadeUpTree(files).read()),
                ElementsAre(StartsWith(violation.finding)));
  }
}

INSTANTIATE_TEST_SUITE_P(, Architecture, testing::ValuesIn(rules()),
                         [](const auto& instance) { return instance.param.name; });

TEST(ArchitectureTopLevel, MissesWhatTheRootMustHold) {
  Files files = clean_tree();
  files.erase("LICENSE");
  EXPECT_THAT(top_level_is_fixed(MadeUpTree(files).read()), ElementsAre(StartsWith("LICENSE:1: ")));
}

}  // namespace
}  // namespace pretrain
