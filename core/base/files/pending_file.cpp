#include "core/base/files/pending_file.h"

#include <utility>

#include "core/base/error.h"

namespace pretrain {
namespace {

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

PendingFile::PendingFile(std::string path)
    : path_(std::move(path)),
      folder_(Directory::open_parent(path_)),
      temporary_(unique_name("tmp-" + name_of(path_))),
      content_(folder_.create_file(temporary_)) {}

PendingFile::~PendingFile() {
  if (!named_) return;
  try {
    folder_.remove_file(temporary_);
  } catch (const Error&) {
    // A leftover, which the next start removes or the user may; the old content is untouched.
  }
}

void PendingFile::unlink() {
  folder_.remove_file(temporary_);
  named_ = false;
}

void PendingFile::publish() {
  content_.close();
  folder_.rename(temporary_, name_of(path_));
  named_ = false;
}

void replace_file(const std::string& path, std::string_view text) {
  PendingFile file(path);
  file.content().write(text);
  file.publish();
}

}  // namespace pretrain
