#pragma once

#include <cstdint>
#include <vector>

namespace pretrain {

/// The number of each code point 0 to kMaxCodePoint from runs of equal ones: a letter ('A' is 0,
/// the following characters the next numbers), and behind it the length unless that is one.
std::vector<std::uint8_t> expand_code_point_runs(const char* runs);

}  // namespace pretrain
