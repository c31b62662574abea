#pragma once

namespace pretrain {

/// The grapheme classes of all code points as expand_code_point_runs reads them. Made by
/// grapheme_runs.py.
extern const char* const kGraphemeRuns;

}  // namespace pretrain
