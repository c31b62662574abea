#pragma once

namespace pretrain {

/// The categories of all code points as expand_code_point_runs reads them. Made by
/// general_category_runs.py.
extern const char* const kGeneralCategoryRuns;

}  // namespace pretrain
