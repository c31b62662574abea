#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pretrain {

/// A text file of a source tree.
struct SourceFile {
  std::string path;                ///< from the root, "core/data/corpus/corpus.cpp"
  std::string folder;              ///< "core/data"; "" at the root
  std::string name;                ///< "corpus.cpp"
  std::string stem;                ///< "corpus"
  std::string extension;           ///< ".cpp"
  std::vector<std::string> lines;  ///< as in the file, without line ends
  std::vector<std::string> code;  ///< the same lines with comments and the text of literals blanked

  /// The first part of the path: "core"; "" for a file at the root.
  std::string top() const;
  bool is_header() const { return extension == ".h"; }
  /// True for .h, .cpp and .cu.
  bool is_cpp() const;
};

struct Include {
  std::size_t line = 0;  ///< counted from 1
  std::string path;      ///< what stands between the marks
  bool angled = false;   ///< <path>, not "path"
};

/// The include directives of a C++ file.
std::vector<Include> includes_of(const SourceFile& file);

/// The files of a repository that the architecture rules speak of: everything below `root` except
/// what git never sees (names beginning with a dot, build folders, data, runs).
class SourceTree {
 public:
  explicit SourceTree(std::filesystem::path root);

  const std::vector<SourceFile>& files() const { return files_; }
  /// Names directly below the root, sorted.
  const std::vector<std::string>& top_level() const { return top_level_; }
  /// True if `path` (from the root) is a file or folder.
  bool has(const std::string& path) const { return std::filesystem::exists(root_ / path); }

 private:
  std::filesystem::path root_;
  std::vector<SourceFile> files_;
  std::vector<std::string> top_level_;
};

}  // namespace pretrain
