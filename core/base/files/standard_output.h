#pragma once

#include <string_view>

namespace pretrain {

/// Writes to the standard output at once, past std::cout. Throws kIo if that fails, as when a
/// pipe's reader is gone.
void write_standard_output(std::string_view bytes);

}  // namespace pretrain
