#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/format/byte_level_json.h"

namespace pretrain {

/// Reads a rank file of tiktoken: a line for each token, its bytes in base64, a blank, its rank,
/// which is its id. Two neighbours merge if what they make is a token, lowest rank first, and a
/// word that is a token stays whole. The merges of the result are those that can happen: for each
/// token the two parts into which lower ranks cut it. `split` is the name of the pattern that cuts
/// text into words, which the file does not tell; `specials` the special tokens with their ids,
/// which may fill gaps in the ranks. Throws kBadData naming `place` and the line or rank of what is
/// broken: a byte without a token, a token or rank given twice, a rank left out.
ByteLevelParts read_rank_file(std::string_view text, const std::string& place,
                              const std::string& split,
                              std::vector<std::pair<std::string, std::uint32_t>> specials);

}  // namespace pretrain
