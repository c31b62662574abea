#include "core/base/environment_variable.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace pretrain {

bool is_secret_variable(std::string_view name) {
  constexpr std::array<std::string_view, 5> kAnywhere{"SECRET", "PASSWORD", "PASSWD", "CREDENTIAL",
                                                      "JWT"};
  constexpr std::array<std::string_view, 2> kWordEnds{"TOKEN_", "KEY_"};
  std::string upper;
  for (const unsigned char c : name) upper += static_cast<char>(std::toupper(c));
  upper += '_';
  const auto holds = [&](std::string_view part) { return upper.find(part) != std::string::npos; };
  return std::any_of(kAnywhere.begin(), kAnywhere.end(), holds) ||
         std::any_of(kWordEnds.begin(), kWordEnds.end(), holds);
}

bool is_listed_variable(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames{"HOME", "USER", "TMPDIR", "SCRATCH"};
  const bool listed = std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
                      name.starts_with("SLURM_") || name.starts_with("PRETRAIN_");
  return listed && !is_secret_variable(name);
}

}  // namespace pretrain
