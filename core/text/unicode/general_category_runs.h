#pragma once

namespace pretrain {

/// Letter that stands for the first GeneralCategory in kGeneralCategoryRuns; the others follow.
inline constexpr char kFirstCategoryLetter = 'A';

/// The categories of all code points from 0 upwards as runs: a letter for the category, and the
/// number of code points unless it is one. Made by general_category_runs.py.
extern const char* const kGeneralCategoryRuns;

}  // namespace pretrain
