#pragma once

#include <string>
#include <vector>

#include "tests/testing/source_tree.h"

namespace pretrain {

/// What breaks a rule, one "path:line: what is wrong. What to do" each; empty if nothing does.
using Findings = std::vector<std::string>;

// Includes. The folders core, parallel, models, objectives, launch are the source folders, in the
// order in which one may include another.

/// A source folder includes only itself and source folders to its left.
Findings includes_point_left(const SourceTree& tree);
/// A quoted include is the path of an existing file from the root.
Findings includes_exist(const SourceTree& tree);
/// Headers include the standard library, narrow headers of torch and our own, nothing else.
Findings headers_hide_third_parties(const SourceTree& tree);
/// The folders of the torch-free module reach no header of torch, directly or through ours.
Findings formats_are_free_of_torch(const SourceTree& tree);

// Sizes and places.

/// Files <= 400 lines, headers <= 120, core/trainer.cpp <= 200, launch/main.cpp <= 60.
Findings files_are_short(const SourceTree& tree);
/// At most 12 subjects (X.h and X.cpp are one) directly in a folder.
Findings folders_are_small(const SourceTree& tree);
/// The root holds the listed entries, each required one and no other.
Findings top_level_is_fixed(const SourceTree& tree);
/// Every folder with C++ files of a source folder has a README.md; all below the root's are <= 60
/// lines.
Findings folders_have_a_readme(const SourceTree& tree);
/// Names are snake_case and say what a thing is, not that it helps.
Findings names_are_clear(const SourceTree& tree);
/// tests/F/x_test.cpp stands for source folder F, or in a folder for tests of several.
Findings tests_mirror_sources(const SourceTree& tree);

// Text.

/// A header's first code is #pragma once.
Findings headers_have_pragma_once(const SourceTree& tree);
/// A type of a header has its name for itself: all are in one namespace, and of two definitions the
/// linker takes one without a word.
Findings types_have_one_definition(const SourceTree& tree);
/// No #if, #ifdef, #ifndef but for sanitizers: a variant is chosen by which file is compiled.
Findings no_conditional_compilation(const SourceTree& tree);
/// Nothing outside launch/ ends the process, but for a forked child its own.
Findings only_launch_exits(const SourceTree& tree);
/// launch/main.cpp has one try block; a catch (...) elsewhere hands the exception on.
Findings exceptions_are_not_swallowed(const SourceTree& tree);
/// No mark of unfinished work.
Findings nothing_is_left_to_do(const SourceTree& tree);

}  // namespace pretrain
