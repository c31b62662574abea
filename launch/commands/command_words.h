#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/process/process.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace pretrain {

/// Parses the words of a command. Whole numbers may be written as counts: 8k, 8Ki. Returns false
/// after printing help (rank 0 alone prints). Throws kUsage naming the wrong word, what was
/// expected, and the nearest known one.
bool parse(CLI::App& app, const std::vector<std::string>& words, const Process& process);

/// Splits what follows FILE into overrides (`a.b=c`, `--a.b=c`, `~a.b`) and flags.
struct SplitWords {
  std::vector<std::string> overrides;
  std::vector<std::string> others;
};
SplitWords split_overrides(const std::vector<std::string>& words);

/// Each restricts an option and returns it. `within` is for counts and fractions, bounds included;
/// `take_bytes` reads 64M, 5GB or 500MiB, without a B as powers of 1024.
CLI::Option* within(CLI::Option* option, std::int64_t least, std::int64_t most);
CLI::Option* within(CLI::Option* option, double least, double most);
CLI::Option* take_bytes(CLI::Option* option, std::uint64_t least = 0,
                        std::uint64_t most = std::uint64_t{1} << 62);
CLI::Option* choose_from(CLI::Option* option, const std::vector<std::string>& words);

}  // namespace pretrain
