#pragma once

#include <optional>
#include <string>

#include "core/base/files/directory.h"
#include "core/base/files/run_lock.h"

namespace pretrain {

/// The folder NAME.h5.build, held for this process: whoever makes files of the corpus NAME holds
/// it. Unless `keep` is set it goes with this object.
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
  /// Throws kLocked if another process has taken it, as from one that was suspended for long.
  void require() { lock_->require(); }
  /// Removes it, unless another process has taken it. Call once, as the last thing.
  void remove();

  bool keep = false;  ///< there is something in it to go on from

 private:
  Directory folder_;
  std::optional<RunLock> lock_;
};

}  // namespace pretrain
