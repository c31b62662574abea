#pragma once

#include <cstdint>
#include <string>

namespace pretrain {

/// A size for people, rounded: "512 B", "48.9 MiB", "3.3 GiB". The exact text of the configuration
/// is bytes_text (core/config/scalars.h).
std::string format_bytes(std::uint64_t bytes);

/// "1 document", "2 documents".
std::string plural(std::uint64_t count, const std::string& noun);

}  // namespace pretrain
