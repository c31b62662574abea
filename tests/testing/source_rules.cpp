#include "tests/testing/source_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <string_view>

#include "core/base/error.h"
#include "tests/testing/pattern.h"

namespace pretrain {
namespace {

constexpr std::array<std::string_view, 5> kSourceFolders = {"core", "parallel", "models",
                                                            "objectives", "launch"};
constexpr std::array<std::string_view, 6> kTorchFree = {
    "core/base", "core/checkpoint", "core/config", "core/data", "core/metrics", "core/text"};
constexpr std::array<std::string_view, 3> kTooWideTorchHeaders = {
    "torch/torch.h", "torch/extension.h", "torch/all.h"};
constexpr std::array<std::string_view, 11> kTopLevel = {
    "CMakeLists.txt", "LICENSE", "README.md",  "configs",  "core", "docker",
    "launch",         "models",  "objectives", "parallel", "tests"};
// Folders of tests/ that stand for no single source folder.
constexpr std::array<std::string_view, 6> kFreeTestFolders = {"tests/bench",       "tests/faults",
                                                              "tests/integration", "tests/mpi",
                                                              "tests/parity",      "tests/testing"};

// Ends no rank: a child process that it forked for one call.
constexpr std::string_view kEndsItsOwnChild = "core/base/isolated_call.cpp";
// The one condition: instrumented code is slower and maps terabytes of shadow memory.
constexpr std::string_view kAllowedCondition = "__SANITIZE_ADDRESS__";

constexpr std::size_t kCppLines = 400;
constexpr std::size_t kHeaderLines = 120;
constexpr std::size_t kReadmeLines = 60;
constexpr std::size_t kSubjectsPerFolder = 12;

template <class List>
bool contains(const List& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// The place of a path among the source folders, counted from the left; 5 for all others.
std::size_t layer(std::string_view path) {
  const std::string_view top = path.substr(0, path.find('/'));
  return static_cast<std::size_t>(std::find(kSourceFolders.begin(), kSourceFolders.end(), top) -
                                  kSourceFolders.begin());
}

bool is_source(const SourceFile& file) {
  return file.is_cpp() && layer(file.path) < kSourceFolders.size();
}

bool is_torch(std::string_view path) {
  return starts_with(path, "ATen/") || starts_with(path, "c10/") || starts_with(path, "torch/");
}

// One of kTorchFree or below it.
bool is_torch_free(const std::string& folder) {
  return std::any_of(kTorchFree.begin(), kTorchFree.end(), [&](std::string_view free) {
    return folder == free || starts_with(folder, std::string(free) + "/");
  });
}

// The C++ library, or a type of the system's that a signature cannot do without.
bool is_standard(const std::string& path) {
  return path.find_first_of("./") == std::string::npos || path == "sys/types.h";
}

// Runs `find(line)` over the code of the chosen files; a message it returns becomes a finding.
template <class Choose, class Find>
Findings find_in_code(const SourceTree& tree, Choose choose, Find find) {
  Findings findings;
  for (const SourceFile& file : tree.files()) {
    if (!choose(file)) continue;
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      const std::string message = find(file.code[i]);
      if (!message.empty()) findings.push_back(concat(file.path, ":", i + 1, ": ", message));
    }
  }
  return findings;
}

// Runs `judge(file, include)` over the includes of the chosen files.
template <class Choose, class Judge>
Findings judge_includes(const SourceTree& tree, Choose choose, Judge judge) {
  Findings findings;
  for (const SourceFile& file : tree.files()) {
    if (!choose(file)) continue;
    for (const Include& include : includes_of(file)) {
      const std::string message = judge(file, include);
      if (!message.empty()) {
        findings.push_back(concat(file.path, ":", include.line, ": ", include.path, " ", message));
      }
    }
  }
  return findings;
}

}  // namespace

Findings includes_point_left(const SourceTree& tree) {
  return judge_includes(tree, is_source, [](const SourceFile& file, const Include& include) {
    const std::size_t target = layer(include.path);
    const bool ours = !include.angled && target < kSourceFolders.size();
    return ours && target > layer(file.path)
               ? "lies to the right. Order: core <- parallel <- models <- objectives <- launch"
               : "";
  });
}

Findings includes_exist(const SourceTree& tree) {
  const auto is_cpp = [](const SourceFile& file) { return file.is_cpp(); };
  return judge_includes(tree, is_cpp, [&](const SourceFile&, const Include& include) {
    const bool found =
        include.angled || (include.path.find("..") == std::string::npos && tree.has(include.path));
    return found ? "" : "is no file of this repository. Write its path from the root";
  });
}

Findings headers_hide_third_parties(const SourceTree& tree) {
  const auto is_our_header = [](const SourceFile& file) {
    return file.is_header() && is_source(file);
  };
  return judge_includes(tree, is_our_header, [](const SourceFile&, const Include& include) {
    if (contains(kTooWideTorchHeaders, include.path)) {
      return "takes 19 s to compile. Include the narrow header of what is used";
    }
    const bool allowed = !include.angled || is_standard(include.path) || is_torch(include.path);
    return allowed ? "" : "is a third party's. Include it in a .cpp file only";
  });
}

Findings formats_are_free_of_torch(const SourceTree& tree) {
  std::map<std::string, const SourceFile*> by_path;
  for (const SourceFile& file : tree.files()) by_path[file.path] = &file;
  // For each file, what it includes on the way to torch; empty if it does not get there.
  std::map<std::string, std::string> way;
  const auto find_way = [&](const auto& self, const SourceFile& file) -> std::string {
    const auto [known, is_new] = way.emplace(file.path, "");
    if (!is_new) return known->second;
    for (const Include& include : includes_of(file)) {
      const auto ours = by_path.find(include.path);
      const bool leads = include.angled
                             ? is_torch(include.path)
                             : ours != by_path.end() && !self(self, *ours->second).empty();
      if (leads) return way[file.path] = include.path;
    }
    return "";
  };
  Findings findings;
  for (const SourceFile& file : tree.files()) {
    if (!file.is_cpp() || !is_torch_free(file.folder)) continue;
    std::string chain;
    for (std::string at = find_way(find_way, file); !at.empty(); at = way[at]) {
      chain += " -> " + at;
    }
    if (!chain.empty()) {
      findings.push_back(
          concat(file.path, ":1: includes torch:", chain, ". This folder is built without it"));
    }
  }
  return findings;
}

Findings files_are_short(const SourceTree& tree) {
  static const std::map<std::string, std::size_t> kOwnLimits = {{"core/trainer.cpp", 200},
                                                                {"launch/main.cpp", 60}};
  Findings findings;
  for (const SourceFile& file : tree.files()) {
    if (!file.is_cpp()) continue;
    const auto own = kOwnLimits.find(file.path);
    const std::size_t limit = own != kOwnLimits.end() ? own->second
                              : file.is_header()      ? kHeaderLines
                                                      : kCppLines;
    if (file.lines.size() > limit) {
      findings.push_back(concat(file.path, ":", limit + 1, ": ", file.lines.size(),
                                " lines, at most ", limit, ". Split it by subject"));
    }
  }
  return findings;
}

Findings folders_are_small(const SourceTree& tree) {
  std::map<std::string, std::set<std::string>> subjects;
  for (const SourceFile& file : tree.files()) {
    if (file.is_cpp()) subjects[file.folder].insert(file.stem);
  }
  Findings findings;
  for (const auto& [folder, stems] : subjects) {
    if (stems.size() > kSubjectsPerFolder) {
      findings.push_back(concat(folder, ":1: ", stems.size(), " subjects, at most ",
                                kSubjectsPerFolder, ". Make a sub-folder"));
    }
  }
  return findings;
}

Findings top_level_is_fixed(const SourceTree& tree) {
  Findings findings;
  for (const std::string& name : tree.top_level()) {
    if (!contains(kTopLevel, name)) {
      findings.push_back(concat(name, ":1: is not an entry of the root. Move it below one"));
    }
  }
  for (const std::string_view name : kTopLevel) {
    if (name != "docker" && !contains(tree.top_level(), name)) {
      findings.push_back(concat(name, ":1: is missing at the root"));
    }
  }
  return findings;
}

Findings folders_have_a_readme(const SourceTree& tree) {
  std::set<std::string> folders;
  Findings findings;
  for (const SourceFile& file : tree.files()) {
    if (is_source(file)) folders.insert(file.folder);
    if (file.name == "README.md" && !file.folder.empty() && file.lines.size() > kReadmeLines) {
      findings.push_back(concat(file.path, ":", kReadmeLines + 1, ": ", file.lines.size(),
                                " lines, at most ", kReadmeLines, ". Shorten it"));
    }
  }
  for (const std::string& folder : folders) {
    if (!tree.has(folder + "/README.md")) {
      findings.push_back(concat(folder,
                                "/README.md:1: is missing. Say what is in the folder, how "
                                "data comes in and leaves, how to add one more"));
    }
  }
  return findings;
}

Findings names_are_clear(const SourceTree& tree) {
  static const Pattern kVague("(^|[/_.])(utils?|helpers?|managers?)([/_.]|$)");
  static const Pattern kSnakeCase("^[a-z0-9_]+$");
  Findings findings;
  for (const SourceFile& file : tree.files()) {
    if (kVague.found_in(file.path)) {
      findings.push_back(concat(file.path, ":1: the name says nothing. Name what it is"));
    }
    if ((file.is_cpp() || file.extension == ".py") && !kSnakeCase.found_in(file.stem)) {
      findings.push_back(concat(file.path, ":1: the name is not snake_case. Rename it"));
    }
  }
  return findings;
}

Findings tests_mirror_sources(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files()) {
    if (file.top() != "tests" || !file.is_cpp() || contains(kFreeTestFolders, file.folder)) {
      continue;
    }
    const std::string mirrored = file.folder.size() > 6 ? file.folder.substr(6) : "";
    if (layer(mirrored) == kSourceFolders.size() || !tree.has(mirrored)) {
      findings.push_back(concat(file.path, ":1: there is no source folder '", mirrored,
                                "'. Put the test where its source lies"));
    }
  }
  return findings;
}

Findings headers_have_pragma_once(const SourceTree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files()) {
    if (!file.is_header()) continue;
    std::size_t i = 0;
    const auto blank = [](const std::string& line) {
      return line.find_first_not_of(" \t") == std::string::npos;
    };
    while (i < file.code.size() && blank(file.code[i])) ++i;
    if (i == file.code.size() || file.code[i] != "#pragma once") {
      findings.push_back(concat(file.path, ":", i + 1, ": the first code is not #pragma once"));
    }
  }
  return findings;
}

Findings types_have_one_definition(const SourceTree& tree) {
  static const Pattern kDefinition(
      R"(^(struct|class|enum class) ([A-Z][A-Za-z0-9_]*)( final)?( :.*| \{.*)$)");
  Findings findings;
  std::map<std::string, std::string> places;
  for (const SourceFile& file : tree.files()) {
    if (!file.is_header() || !is_source(file)) continue;
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      const auto found = kDefinition.search(file.code[i]);
      if (!found) continue;
      const std::string place = concat(file.path, ":", i + 1);
      const auto [first, is_new] = places.try_emplace(found->groups[1], place);
      if (is_new) continue;
      findings.push_back(concat(place, ": ", found->groups[1], " is defined at ", first->second,
                                " too. Rename one"));
    }
  }
  return findings;
}

Findings no_conditional_compilation(const SourceTree& tree) {
  static const Pattern kConditional(R"(^\s*#\s*(if|ifdef|ifndef|elif)\b)");
  const auto is_cpp = [](const SourceFile& file) { return file.is_cpp(); };
  return find_in_code(tree, is_cpp, [](const std::string& line) {
    const bool found =
        kConditional.found_in(line) && line.find(kAllowedCondition) == std::string::npos;
    return found ? "conditional compilation. Choose by which file is compiled" : "";
  });
}

Findings only_launch_exits(const SourceTree& tree) {
  // A call stands where a statement or expression begins; `void abort()` declares a method and
  // `x.abort()` calls one.
  static const Pattern kCall(
      R"((^|[;{}()!&|?,=]|[^:]:|\belse|\breturn)\s*(std::|::)?(_?exit|_Exit|quick_exit|abort|terminate)\s*\()");
  const auto may_not = [](const SourceFile& file) {
    return is_source(file) && file.top() != "launch" && file.path != kEndsItsOwnChild;
  };
  return find_in_code(tree, may_not, [](const std::string& line) {
    const bool suspect = line.find("xit") != std::string::npos ||
                         line.find("abort") != std::string::npos ||
                         line.find("terminate") != std::string::npos;
    return suspect && kCall.found_in(line)
               ? "ends the process outside launch/. Throw pretrain::Error"
               : "";
  });
}

Findings exceptions_are_not_swallowed(const SourceTree& tree) {
  static const Pattern kTry(R"(\btry\b)");
  static const Pattern kCatchAll(R"(\bcatch\s*\(\s*\.\.\.\s*\))");
  static const Pattern kHandsOn(R"(\bthrow\b|\bcurrent_exception\b)");
  Findings findings;
  for (const SourceFile& file : tree.files()) {
    if (!is_source(file)) continue;
    std::size_t tries = 0;
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      if (file.path == "launch/main.cpp") {
        if (kTry.found_in(file.code[i]) && ++tries > 1) {
          findings.push_back(concat(file.path, ":", i + 1, ": a second try block. Main has one"));
        }
        continue;
      }
      const auto match = kCatchAll.search(file.code[i]);
      if (!match) continue;
      // The handler: from here to the brace that closes the first one opened.
      std::string handler = file.code[i].substr(match->end);
      std::size_t end = i;
      const auto open = [&] {
        return handler.find('{') == std::string::npos ||
               std::count(handler.begin(), handler.end(), '{') >
                   std::count(handler.begin(), handler.end(), '}');
      };
      while (open() && ++end < file.code.size()) handler += "\n" + file.code[end];
      if (!kHandsOn.found_in(handler)) {
        findings.push_back(concat(file.path, ":", i + 1, ": catch (...) swallows every exception. ",
                                  "Catch what is expected, or hand it on"));
      }
    }
  }
  return findings;
}

Findings nothing_is_left_to_do(const SourceTree& tree) {
  // Put together here, so that this file does not find itself.
  static const Pattern kMark(std::string("\\b(TO") + "DO|FIX" + "ME|XX" + "X|HA" + "CK)\\b");
  Findings findings;
  for (const SourceFile& file : tree.files()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (kMark.found_in(file.lines[i])) {
        findings.push_back(concat(file.path, ":", i + 1, ": unfinished work. Finish or drop it"));
      }
    }
  }
  return findings;
}

}  // namespace pretrain
