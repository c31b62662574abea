#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pretrain {

/// The files to read, and those of folders and patterns that are not, for their names.
struct InputFiles {
  std::vector<std::string> files;
  std::vector<std::string> passed_over;
};

/// The files that the words of a command line mean, each word's in name order: a file is itself,
/// "-" the standard input, a folder all files below it (names that begin with a dot aside), a
/// pattern with *, ? or [...] that is no file the files that match. With `by_name` files of folders
/// are taken or passed over by their FileKind, and binary ones of patterns passed over. Throws
/// kBadData for a word that means no file, and with `by_name` for a file named that is binary.
InputFiles input_files(const std::vector<std::string>& words, bool by_name);

/// "passed over: 2 .json, 1 README.md. To take ..." for people; "" if there is none.
std::string passed_over_text(const std::vector<std::string>& files);

/// What tells two versions of an input apart without reading all of it.
struct InputIdentity {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::string sample;  ///< XXH3-128 of three pieces of at most 64 KiB: start, middle, end
  bool operator==(const InputIdentity&) const = default;
};

/// Throws kBadData if the file cannot be read.
InputIdentity input_identity(const std::string& path);

/// What differs, for a message; empty: nothing.
std::string difference(const InputIdentity& before, const InputIdentity& now);

}  // namespace pretrain
