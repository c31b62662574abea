#pragma once

#include <string>
#include <vector>

namespace pretrain {

/// The files of a build of NAME.h5, whole or in shards.
class OutputFiles {
 public:
  /// Throws kUsage if `path` does not end in ".h5".
  explicit OutputFiles(const std::string& path);

  /// "NAME-00003-of-00008.h5"; `path` itself for a corpus that is `sharded` not.
  std::string shard(std::size_t index, std::size_t count, bool sharded) const;
  /// NAME.report.json.
  std::string report() const { return stem_ + ".report.json"; }
  /// NAME.h5.build, where an unfinished build lies.
  std::string build_folder() const { return path_ + ".build"; }

  /// Finished files of earlier builds of this NAME, of all shards: corpora, their sidecars, report.
  std::vector<std::string> existing() const;
  /// What killed builds of this NAME left of files that were not finished.
  std::vector<std::string> unfinished() const;
  /// Of each file: does a build of this NAME make it, in build_folder(), existing or unfinished?
  std::vector<bool> owns(const std::vector<std::string>& files) const;

 private:
  std::vector<std::string> matching(const std::string& begin, const std::string& end) const;
  std::string path_;
  std::string stem_;  // `path` without .h5
};

}  // namespace pretrain
