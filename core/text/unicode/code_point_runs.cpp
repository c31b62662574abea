#include "core/text/unicode/code_point_runs.h"

#include <cstddef>
#include <string_view>

#include "core/text/unicode/utf8.h"

namespace pretrain {

std::vector<std::uint8_t> expand_code_point_runs(const char* runs) {
  std::vector<std::uint8_t> table;
  table.reserve(kMaxCodePoint + 1);
  const std::string_view text = runs;
  for (std::size_t i = 0; i < text.size();) {
    const auto number = static_cast<std::uint8_t>(text[i++] - 'A');
    std::size_t length = 0;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
      length = length * 10 + static_cast<std::size_t>(text[i] - '0');
    }
    table.resize(table.size() + (length == 0 ? 1 : length), number);
  }
  return table;
}

}  // namespace pretrain
