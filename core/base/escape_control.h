#pragma once

#include <string>
#include <string_view>

namespace pretrain {

/// `text` with control characters (C0, DEL, C1) and bytes that are not UTF-8 (RFC 3629) written as
/// \n, \t or \x1b, so that text from files cannot steer a terminal or fake a line of a log.
std::string escape_control(std::string_view text);

}  // namespace pretrain
