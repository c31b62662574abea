#include "core/text/split/split_pattern.h"

#include <string>

namespace pretrain {
namespace {

constexpr SplitPattern prefix_pattern(const PieceRules& rules) {
  return {SplitPattern::Scanner::kPrefix, rules};
}

constexpr SplitPattern cased_pattern(const PieceRules& rules) {
  return {SplitPattern::Scanner::kCased, rules};
}

struct KnownPattern {
  const char* name;  // of the tokenizers that brought it in, "" for another text of the same
  std::string regex;
  SplitPattern pattern;
};

const std::string kContractions = R"((?i:'s|'t|'re|'ve|'m|'ll|'d))";
const std::string kShortContractions = R"('(?i:[sdmt]|ll|ve|re))";
const std::string kWords = R"([^\r\n\p{L}\p{N}]?\p{L}+)";
const std::string kCapital = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])";
const std::string kSmall = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])";
const std::string kSpaces = R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

// `digits` as the text of the alternative for numbers.
std::string prefix_regex(const std::string& digits) {
  return kContractions + "|" + kWords + "|" + digits + R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|)" + kSpaces;
}

std::string short_prefix_regex(const std::string& digits) {
  return kShortContractions + R"(|[^\r\n\p{L}\p{N}]?+\p{L}+|)" + digits +
         R"(| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)";
}

std::string whole_end_regex(const std::string& digits) {
  return kShortContractions + R"(|[^\r\n\p{L}\p{N}]?+\p{L}++|)" + digits +
         R"(| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)";
}

std::string cased_regex(const std::string& contractions, const std::string& digits) {
  const std::string prefix = R"([^\r\n\p{L}\p{N}]?)";
  return prefix + kCapital + "*" + kSmall + "+" + contractions + "|" + prefix + kCapital + "+" +
         kSmall + "*" + contractions + "|" + digits + R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" + kSpaces;
}

const std::vector<KnownPattern>& known_patterns() {
  static const std::vector<KnownPattern> kKnown = {
      {"gpt2", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
       kGpt2Pattern},
      {"", R"('s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
       kGpt2Pattern},
      {"", R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
       kGpt2Pattern},
      {"", R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)",
       kGpt2Pattern},
      {"llama3", prefix_regex(R"(\p{N}{1,3})"), prefix_pattern({})},
      {"", short_prefix_regex(R"(\p{N}{1,3})"), prefix_pattern({})},
      {"qwen2", prefix_regex(R"(\p{N})"), prefix_pattern({.most_digits = 1})},
      {"", prefix_regex(R"(\p{N}{1,2})"), prefix_pattern({.most_digits = 2})},
      {"", short_prefix_regex(R"(\p{N}{1,2})"), prefix_pattern({.most_digits = 2})},
      {"cl100k", whole_end_regex(R"(\p{N}{1,3})"), prefix_pattern({.whole_end = true})},
      // The text in tiktoken itself. There {1,3}+ is possessive; in tokenizer.json files, which
      // Oniguruma reads, it repeats.
      {"", whole_end_regex(R"(\p{N}{1,3}+)"),
       prefix_pattern({.most_digits = ~0u, .whole_end = true})},
      {"o200k", cased_regex(kContractions + "?", R"(\p{N}{1,3})"), cased_pattern({})},
      {"tekken", cased_regex("", R"(\p{N})"),
       cased_pattern({.most_digits = 1, .contractions = false})},
  };
  return kKnown;
}

}  // namespace

std::optional<SplitPattern> find_split_pattern(std::string_view regex) {
  for (const KnownPattern& known : known_patterns()) {
    if (known.regex == regex) return known.pattern;
  }
  return std::nullopt;
}

std::string split_regex(std::string_view name) {
  for (const KnownPattern& known : known_patterns()) {
    if (*known.name != '\0' && known.name == name) return known.regex;
  }
  return "";
}

std::vector<std::string> split_pattern_names() {
  std::vector<std::string> names;
  for (const KnownPattern& known : known_patterns()) {
    if (*known.name != '\0') names.emplace_back(known.name);
  }
  return names;
}

}  // namespace pretrain
