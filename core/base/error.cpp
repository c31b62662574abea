#include "core/base/error.h"

#include <new>
#include <system_error>

namespace pretrain {
namespace {

// libtorch's allocators throw its general error type, so their words must tell.
bool is_want_of_memory(const std::exception& error, const std::string& text) {
  return dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
         text.find("can't allocate memory") != std::string::npos ||
         text.find("out of memory") != std::string::npos;
}

}  // namespace

Error as_error(const std::exception& error) {
  if (const auto* own = dynamic_cast<const Error*>(&error)) return *own;
  const auto* system = dynamic_cast<const std::system_error*>(&error);
  if (system != nullptr && system->code() == std::errc::resource_unavailable_try_again) {
    return {ExitCode::kOutOfMemory,
            concat("cannot start a thread: ", error.what(), ". Raise the limit of processes")};
  }
  std::string text = error.what();
  text.resize(std::min(text.size(), text.find("\nException raised from ")));
  const bool memory = is_want_of_memory(error, text);
  text.resize(std::min(text.size(), text.find('\n')));
  const std::size_t words = text.find("can't allocate memory");
  if (words != std::string::npos) text.erase(0, words);
  if (!memory) return {ExitCode::kInternal, text};
  return {ExitCode::kOutOfMemory,
          concat("out of memory (", text, "). Lower train.micro_batch; the batch stays")};
}

}  // namespace pretrain
