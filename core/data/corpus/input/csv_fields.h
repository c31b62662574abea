#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pretrain {

/// The fields of one record of RFC 4180, without quotes; doubled quotes become one. Throws
/// kBadData, message starting with `place`, for a quote that is not closed or text behind a closed
/// one.
std::vector<std::string> csv_fields(std::string_view record, char delimiter,
                                    const std::string& place);

}  // namespace pretrain
