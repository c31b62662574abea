#include "tests/testing/fuzz.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "core/base/error.h"
#include "core/base/random.h"

namespace pretrain::testing {
namespace {

constexpr std::uint64_t kFuzzKey = 0xf0220;
constexpr std::size_t kMaxInput = std::size_t{1} << 20;
constexpr std::int64_t kEdges[] = {0,     1,     -1,        2,         7,         8,
                                   127,   128,   255,       256,       32767,     32768,
                                   65535, 65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};

// One change of `input`.
void mutate(const FuzzOptions& options, RandomStream& random, std::string& input) {
  const std::size_t at = input.empty() ? 0 : random.below(input.size());
  const std::size_t left = input.size() - at;
  const std::size_t some = left == 0 ? 0 : 1 + random.below(std::min<std::size_t>(left, 64));
  switch (random.below(8)) {
    case 0:
      if (left > 0) input[at] = static_cast<char>(input[at] ^ (1 << random.below(8)));
      break;
    case 1: {
      const std::int64_t edge = kEdges[random.below(std::size(kEdges))];
      const std::size_t width = std::min(left, std::size_t{1} << random.below(4));
      std::memcpy(input.data() + at, &edge, width);
      break;
    }
    case 2:
      input.erase(at, some);
      break;
    case 3:
      input.insert(at, input.substr(at, some));
      break;
    case 4: {
      const std::string& other = options.seeds[random.below(options.seeds.size())];
      if (!other.empty()) input.insert(at, other.substr(random.below(other.size()), some));
      break;
    }
    case 5:
      if (!options.dictionary.empty()) {
        input.insert(at, options.dictionary[random.below(options.dictionary.size())]);
      }
      break;
    case 6:
      if (!options.dictionary.empty()) {
        input.replace(at, some, options.dictionary[random.below(options.dictionary.size())]);
      }
      break;
    default:
      if (random.below(4) == 0) input.resize(at);
  }
  if (input.size() > kMaxInput) input.resize(kMaxInput);
}

}  // namespace

std::string fuzz_input(const FuzzOptions& options, std::uint64_t trial) {
  RandomStream random(kFuzzKey, RandomPurpose::kSplit, trial);
  std::string input = options.seeds[random.below(options.seeds.size())];
  for (std::uint64_t i = 1 + random.below(4); i > 0; --i) mutate(options, random, input);
  return input;
}

std::uint64_t fuzz(const FuzzOptions& options,
                   const std::function<void(const std::string&)>& read) {
  const char* seconds = std::getenv("FUZZ_SECONDS");
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::duration<double>(seconds == nullptr ? 0 : std::atof(seconds));
  std::uint64_t accepted = 0;
  std::uint64_t trial = 0;
  for (; seconds == nullptr ? trial < options.trials : std::chrono::steady_clock::now() < end;
       ++trial) {
    try {
      read(fuzz_input(options, trial));
      ++accepted;
    } catch (const Error& error) {
      if (error.code() != ExitCode::kBadData) {
        ADD_FAILURE() << "trial " << trial << ": " << error.what();
        return accepted;
      }
    } catch (const std::exception& error) {
      ADD_FAILURE() << "trial " << trial << ": not an Error: " << error.what();
      return accepted;
    }
  }
  ::testing::Test::RecordProperty("fuzz_trials", std::to_string(trial));
  return accepted;
}

}  // namespace pretrain::testing
