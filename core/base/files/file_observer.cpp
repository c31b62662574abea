#include "core/base/files/file_observer.h"

#include <utility>

namespace pretrain {
namespace {

thread_local const FileObserver* current_observer = nullptr;

}  // namespace

ScopedFileObserver::ScopedFileObserver(FileObserver observer)
    : observer_(std::move(observer)), outer_(std::exchange(current_observer, &observer_)) {}

ScopedFileObserver::~ScopedFileObserver() { current_observer = outer_; }

int observe_file_operation(const FileOperation& operation) {
  return current_observer == nullptr ? 0 : (*current_observer)(operation);
}

}  // namespace pretrain
