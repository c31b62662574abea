#pragma once

#include <string>
#include <string_view>

#include "core/base/files/directory.h"
#include "core/base/files/file.h"

namespace pretrain {

/// The next content of a file. It is written beside it, under the name tmp-NAME-NONCE, and takes
/// its name at once, so that a reader sees the old content or the new one, never a part. Unless
/// published it vanishes with this object; what a killed process left goes with
/// Directory::remove_leftovers.
class PendingFile {
 public:
  /// `path`: the final name. Throws kCannotCreate.
  explicit PendingFile(std::string path);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::string& path() const { return path_; }
  std::string temporary_path() const { return folder_.path_of(temporary_); }
  OutputFile& content() { return content_; }
  const OutputFile& content() const { return content_; }
  /// Removes the name at once; the content lives as long as this object. For scratch files.
  void unlink();
  /// Closes and renames to path(), replacing what is there. Durable if content().sync() was called
  /// before; the name itself after sync_folder().
  void publish();
  void sync_folder() const { folder_.sync(); }

 private:
  std::string path_;
  Directory folder_;
  std::string temporary_;
  OutputFile content_;
  bool named_ = true;
};

/// Replaces the whole content of `path` by `text`, at once but without waiting for the disk: after
/// a power cut it may be old or empty. Directory::replace_text waits. Throws as PendingFile and
/// OutputFile do.
void replace_file(const std::string& path, std::string_view text);

}  // namespace pretrain
