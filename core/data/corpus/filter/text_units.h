#pragma once

#include <string_view>
#include <vector>

namespace pretrain {

/// The runs of `text` (valid UTF-8) without white space of Unicode.
std::vector<std::string_view> words_of(std::string_view text);
/// The lines of `text` that hold more than white space, without white space at their ends.
std::vector<std::string_view> lines_of(std::string_view text);
/// The same for paragraphs, which empty lines divide.
std::vector<std::string_view> paragraphs_of(std::string_view text);

}  // namespace pretrain
