#include "core/base/files/standard_output.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"
#include "core/base/files/file.h"

namespace pretrain {

void write_standard_output(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(ExitCode::kIo, "standard output: cannot write: ", error_text(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace pretrain
