#include "core/data/corpus/build/work_folder.h"

#include <filesystem>

#include "core/base/error.h"

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
    if (error.code() != ExitCode::kLocked) throw;
    fail(ExitCode::kLocked, path, ": another build of this corpus is running. Wait for its end");
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
  for (const std::string& name : folder_.list()) {
    if (name != kLockFile) folder_.remove_file(name);
  }
}

void WorkFolder::remove() {
  keep = true;
  lock_.reset();
  Directory::open_parent(folder_.path())
      .remove_directory(std::filesystem::path(folder_.path()).filename().string());
}

}  // namespace pretrain
