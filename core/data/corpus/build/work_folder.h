#pragma once

#include <optional>
#include <string>

#include "core/base/files/directory.h"
#include "core/base/files/run_lock.h"

namespace pretrain {

/// The folder of an unfinished build, held for this process. Unless `keep` is set it goes with this
/// object.
class WorkFolder {
 public:
  /// Makes the folder if there is none. Throws kLocked if another process holds it.
  explicit WorkFolder(const std::string& path);
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  const Directory& directory() const { return folder_; }
  /// Removes all files in it but the lock.
  void clear() const;
  /// Removes it. Call once, as the last thing.
  void remove();

  bool keep = false;  ///< there is something in it to go on from

 private:
  Directory folder_;
  std::optional<RunLock> lock_;
};

}  // namespace pretrain
