#include "core/text/unicode/general_category.h"

#include <string_view>
#include <vector>

#include "core/text/unicode/general_category_runs.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

std::vector<std::uint8_t> expand_runs() {
  std::vector<std::uint8_t> table;
  table.reserve(kMaxCodePoint + 1);
  const std::string_view runs = kGeneralCategoryRuns;
  for (std::size_t i = 0; i < runs.size();) {
    const auto kind = static_cast<std::uint8_t>(runs[i++] - kFirstCategoryLetter);
    std::size_t length = 0;
    for (; i < runs.size() && runs[i] >= '0' && runs[i] <= '9'; ++i) {
      length = length * 10 + static_cast<std::size_t>(runs[i] - '0');
    }
    table.resize(table.size() + (length == 0 ? 1 : length), kind);
  }
  for (const std::size_t c : {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85}) table[c] = kSpaceControl;
  return table;
}

}  // namespace

const std::uint8_t* category_table() {
  static const std::vector<std::uint8_t> kTable = expand_runs();
  return kTable.data();
}

GeneralCategory general_category(std::uint32_t code_point) {
  const std::uint8_t kind = category_table()[code_point];
  return kind == kSpaceControl ? GeneralCategory::kCc : static_cast<GeneralCategory>(kind);
}

}  // namespace pretrain
