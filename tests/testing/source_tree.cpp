#include "tests/testing/source_tree.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>

#include "core/base/error.h"
#include "tests/testing/pattern.h"

namespace pretrain {
namespace {

namespace fs = std::filesystem;

bool never_in_git(const std::string& name) {
  return name.front() == '.' || name.rfind("build", 0) == 0 || name == "data" || name == "runs";
}

/// Walks C++ text and blanks comments and what stands inside literals, keeping line lengths.
class Blanker {
 public:
  std::string operator()(const std::string& line) {
    std::string code = line;
    for (std::size_t i = 0; i < line.size();) i = step(line, i, code);
    return code;
  }

 private:
  enum class State { kCode, kBlockComment, kRawString };

  // Handles what begins at i and returns where the next piece begins.
  std::size_t step(const std::string& line, std::size_t i, std::string& code) {
    if (state_ != State::kCode) return close(line, i, code);
    if (line.compare(i, 2, "//") == 0) return blank(code, i, line.size());
    if (line.compare(i, 2, "/*") == 0) {
      state_ = State::kBlockComment;
      closer_ = "*/";
      return blank(code, i, i + 2);
    }
    if (line.compare(i, 2, "R\"") == 0) {
      const std::size_t open = line.find('(', i);
      state_ = State::kRawString;
      closer_ = concat(")", line.substr(i + 2, open - i - 2), "\"");
      return blank(code, i + 2, open + 1);
    }
    const bool digit_separator =
        line[i] == '\'' && i > 0 && std::isalnum(static_cast<unsigned char>(line[i - 1])) != 0;
    if ((line[i] != '"' && line[i] != '\'') || digit_separator) return i + 1;
    std::size_t end = i + 1;
    while (end < line.size() && line[end] != line[i]) end += line[end] == '\\' ? 2 : 1;
    return blank(code, i + 1, std::min(end, line.size())) + 1;
  }

  std::size_t close(const std::string& line, std::size_t i, std::string& code) {
    const std::size_t end = line.find(closer_, i);
    if (end == std::string::npos) return blank(code, i, line.size());
    state_ = State::kCode;
    return blank(code, i, end + closer_.size());
  }

  static std::size_t blank(std::string& code, std::size_t begin, std::size_t end) {
    std::fill(code.begin() + static_cast<std::ptrdiff_t>(begin),
              code.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    return end;
  }

  State state_ = State::kCode;
  std::string closer_;  // ends the comment or raw string we are in
};

SourceFile read_file(const fs::path& root, const fs::path& path) {
  SourceFile file;
  const fs::path relative = path.lexically_relative(root);
  file.path = relative.generic_string();
  file.folder = relative.parent_path().generic_string();
  file.name = relative.filename().string();
  file.stem = relative.stem().string();
  file.extension = relative.extension().string();
  std::ifstream in(path);
  Blanker blanker;
  for (std::string line; std::getline(in, line);) {
    file.lines.push_back(line);
    file.code.push_back(file.is_cpp() ? blanker(line) : line);
  }
  return file;
}

bool is_text(const fs::path& path) {
  static constexpr std::array kExtensions = {".h",  ".cpp", ".cu",    ".py", ".sh",
                                             ".md", ".txt", ".cmake", ".in", ".yaml"};
  return std::find(kExtensions.begin(), kExtensions.end(), path.extension()) != kExtensions.end();
}

}  // namespace

std::string SourceFile::top() const {
  const std::size_t slash = path.find('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

bool SourceFile::is_cpp() const {
  return extension == ".h" || extension == ".cpp" || extension == ".cu";
}

std::vector<Include> includes_of(const SourceFile& file) {
  static const Pattern kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> includes;
  for (std::size_t i = 0; file.is_cpp() && i < file.lines.size(); ++i) {
    // The blanked line tells whether the directive is code, the raw one what it names.
    if (file.code[i].find('#') == std::string::npos) continue;
    if (const auto match = kInclude.search(file.lines[i])) {
      includes.push_back({i + 1, match->groups[1], match->groups[0] == "<"});
    }
  }
  return includes;
}

SourceTree::SourceTree(fs::path root) : root_(std::move(root)) {
  for (const auto& entry : fs::directory_iterator(root_)) {
    const std::string name = entry.path().filename().string();
    if (never_in_git(name)) continue;
    top_level_.push_back(name);
    if (entry.is_regular_file() && is_text(entry.path())) {
      files_.push_back(read_file(root_, entry.path()));
    }
    if (!entry.is_directory()) continue;
    for (const auto& below : fs::recursive_directory_iterator(entry.path())) {
      if (below.is_regular_file() && is_text(below.path())) {
        files_.push_back(read_file(root_, below.path()));
      }
    }
  }
  std::sort(top_level_.begin(), top_level_.end());
  std::sort(files_.begin(), files_.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
}

}  // namespace pretrain
