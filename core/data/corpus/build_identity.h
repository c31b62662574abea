#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/data/corpus/corpus_builder.h"
#include "core/data/corpus/corpus_writer.h"
#include "core/data/corpus/input/input_files.h"

namespace pretrain {

/// What a build was asked for: only a build of the same may go on where another stopped.
struct BuildIdentity {
  struct Choice {
    std::string option;  ///< as on the command line
    std::string value;   ///< what decides the bytes of the corpus
    std::string shown;   ///< `value` in the user's words; empty: the option is not given
  };
  std::vector<Choice> choices;  ///< one that follows from another stands behind it
  std::vector<InputIdentity> inputs;
};

/// `header` as the tokenizer makes it, `inputs` all files, the last `validation_files` of them for
/// the split valid. The number of threads and parts is no part of it.
BuildIdentity build_identity(const BuildOptions& options, double valid_fraction,
                             const CorpusHeader& header, std::vector<InputIdentity> inputs,
                             std::size_t validation_files);

/// The first choice that `now` makes otherwise, as "--min-chars was not given, is 20"; empty if
/// there is none.
std::string difference(const std::vector<BuildIdentity::Choice>& before,
                       const std::vector<BuildIdentity::Choice>& now);

}  // namespace pretrain
