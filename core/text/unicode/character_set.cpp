#include "core/text/unicode/character_set.h"

#include <vector>

#include "core/text/unicode/character_set_runs.h"
#include "core/text/unicode/code_point_runs.h"

namespace pretrain {

bool is_in(CharacterSet set, std::uint32_t code_point) {
  static const std::vector<std::uint8_t> kSets = expand_code_point_runs(kCharacterSetRuns);
  return ((kSets[code_point] >> static_cast<unsigned>(set)) & 1) != 0;
}

}  // namespace pretrain
