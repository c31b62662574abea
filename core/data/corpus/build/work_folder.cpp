#include "core/data/corpus/build/work_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/base/error.h"
#include "core/base/files/file_observer.h"
#include "core/data/corpus/build/build_journal.h"

namespace pretrain {
namespace {

constexpr const char* kLockFile = "run.lock";

}  // namespace

WorkFolder::WorkFolder(const std::string& path) : folder_(Directory::create(path)) {
  RunLockOptions quick;
  quick.settle_seconds = 0.2;
  try {
    lock_.emplace(path, quick);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kLocked) {
      std::error_code ignored;
      std::filesystem::remove(path, ignored);  // if it is empty
      throw;
    }
    fail(ExitCode::kLocked, path, ": another command makes this corpus. Wait for its end");
  }
}

WorkFolder::~WorkFolder() {
  if (keep) return;
  try {
    remove();
  } catch (const Error&) {
    // It stays behind; the next build of this output clears it.
  }
}

void WorkFolder::clear() const {
  std::vector<std::string> names = folder_.list();
  // Without its journal the rest is of no build, so a kill in between leaves nothing to go on from.
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name == BuildJournal::kName; });
  for (const std::string& name : names) {
    if (name != kLockFile) folder_.remove_file(name);
  }
}

void WorkFolder::remove() {
  keep = true;
  const bool ours = lock_->still_ours();
  if (ours) clear();
  lock_.reset();
  if (!ours) return;
  // From here on the folder may be another's: it goes only if it is empty.
  std::error_code error(observe_file_operation({"rmdir", folder_.path()}), std::system_category());
  if (!error) std::filesystem::remove(folder_.path(), error);
  if (error && error != std::errc::directory_not_empty) {
    fail_output(error.value(), folder_.path(), "remove");
  }
}

}  // namespace pretrain
