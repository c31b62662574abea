#pragma once

namespace pretrain {

/// The sets each code point is in, as expand_code_point_runs reads them: bit k is the k-th of
/// CharacterSet. Made by character_set_runs.py.
extern const char* const kCharacterSetRuns;

}  // namespace pretrain
