#include "core/text/unicode/general_category.h"

#include <vector>

#include "core/text/unicode/code_point_runs.h"
#include "core/text/unicode/general_category_runs.h"

namespace pretrain {
namespace {

std::vector<std::uint8_t> make_table() {
  std::vector<std::uint8_t> table = expand_code_point_runs(kGeneralCategoryRuns);
  for (const std::size_t c : {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85}) table[c] = kSpaceControl;
  return table;
}

}  // namespace

const std::uint8_t* category_table() {
  static const std::vector<std::uint8_t> kTable = make_table();
  return kTable.data();
}

GeneralCategory general_category(std::uint32_t code_point) {
  const std::uint8_t kind = category_table()[code_point];
  return kind == kSpaceControl ? GeneralCategory::kCc : static_cast<GeneralCategory>(kind);
}

}  // namespace pretrain
