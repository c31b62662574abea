#pragma once

#include <string>
#include <string_view>

#include "core/base/files/writable_file.h"

namespace pretrain {

/// The next content of a file. It is written beside it, as PATH.tmp-WRITER, and takes its name at
/// once, so that a reader sees the old content or the new one, never a part. Unless published, it
/// goes with this object; what a killed process left is replaced by the next one of that name.
class ReplacementFile {
 public:
  /// `writer` keeps processes apart that may replace the same file at the same time (the rank).
  /// Mode 0640. Throws Error(kCannotCreate).
  explicit ReplacementFile(const std::string& path, int writer = 0);
  ReplacementFile(const ReplacementFile&) = delete;
  ReplacementFile& operator=(const ReplacementFile&) = delete;
  ~ReplacementFile();

  /// Throws Error with kCannotCreate if the disk is full, else kIo.
  void write(std::string_view bytes) { file_.write(bytes); }
  /// Renames over the old file. `durable`: the content is on the disk before that. Throws Error.
  void publish(bool durable);

 private:
  std::string path_;
  std::string temporary_;
  WritableFile file_;
  bool published_ = false;
};

/// Replaces the whole content of `path` by `text`; see ReplacementFile.
void replace_file(const std::string& path, std::string_view text, int writer = 0);

}  // namespace pretrain
