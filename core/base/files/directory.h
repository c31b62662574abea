#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/files/file.h"

namespace pretrain {

/// An open directory; everything in it is named relative to the descriptor.
class Directory {
 public:
  /// Opens an existing directory; links in `path` are followed. Throws kBadData.
  static Directory open(const std::string& path);
  /// Opens the directory that an output file is to go to. Throws kCannotCreate.
  static Directory open_parent(const std::string& file_path);
  /// Makes `path` and its missing parents, durable, and opens it.
  static Directory create(const std::string& path);

  const std::string& path() const { return path_; }
  std::string path_of(const std::string& name) const { return path_ + "/" + name; }

  Directory open_directory(const std::string& name) const;
  Directory create_directory(const std::string& name) const;  ///< kCannotCreate if taken
  /// A new empty file; kCannotCreate if the name is taken.
  OutputFile create_file(const std::string& name) const;
  InputFile open_file(const std::string& name) const;  ///< never waits for a FIFO's writer

  /// The whole file; nothing if there is none; kBadData if it has more than `max_bytes` bytes.
  std::optional<std::string> read_text(const std::string& name, std::size_t max_bytes) const;
  /// Creates, writes, syncs and closes. The entry itself is durable after sync().
  void write_text(const std::string& name, std::string_view text) const;
  /// The file has either its old or its new content whatever happens; durable on return.
  void replace_text(const std::string& name, std::string_view text) const;

  void rename(const std::string& from, const std::string& to) const;      ///< replaces `to`
  void rename_new(const std::string& from, const std::string& to) const;  ///< never replaces
  void remove_file(const std::string& name) const;
  /// Removes a directory and its files. One with sub-directories stays: we never make such.
  void remove_directory(const std::string& name) const;
  /// Removes what a killed process left under names tmp-*, .tmp-* or .trash-* that unique_name
  /// made, those of replace_text among them. The caller must own the directory. Returns their
  /// names.
  std::vector<std::string> remove_leftovers() const;
  /// The names in it, sorted.
  std::vector<std::string> list() const;
  bool exists(const std::string& name) const;  ///< any kind of entry, a broken link too
  bool is_directory(const std::string& name) const;
  /// Makes created, renamed and removed names durable.
  void sync() const;
  std::uint64_t free_bytes() const;                 ///< left for us on its file system
  std::optional<std::uint64_t> free_files() const;  ///< nothing where there is no such limit

 private:
  Directory(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  FileDescriptor fd_;
  std::string path_;
};

}  // namespace pretrain
