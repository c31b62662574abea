#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pretrain {

/// The files that the words of a command line mean, each word's in name order: a file is itself,
/// "-" the standard input, a folder all files below it (names that begin with a dot aside), a
/// pattern with *, ? or [...] that is no file the files that match. Throws kBadData for a word that
/// means no file.
std::vector<std::string> input_files(const std::vector<std::string>& words);

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
