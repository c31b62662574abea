#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pretrain::testing {

/// What a fuzzed reader is tried with.
struct FuzzOptions {
  std::vector<std::string> seeds;       ///< whole inputs that are good; at least one
  std::vector<std::string> dictionary;  ///< words that the format knows, put anywhere; may be empty
  std::uint64_t trials = 1000;          ///< without FUZZ_SECONDS
};

/// Calls `read` with one mutated seed after the other: bits turned, numbers of 1 to 8 bytes set to
/// values on an edge, ranges removed, doubled or taken from another seed, words put in, cut short.
/// Trial t is always the same input. Goes on for FUZZ_SECONDS seconds if that variable is set.
///
/// `read` may return or throw an Error with kBadData; anything else it throws fails the test with
/// the trial's number. Returns how many inputs were accepted.
std::uint64_t fuzz(const FuzzOptions& options, const std::function<void(const std::string&)>& read);

/// Input of trial `trial`, for a debugger.
std::string fuzz_input(const FuzzOptions& options, std::uint64_t trial);

}  // namespace pretrain::testing
