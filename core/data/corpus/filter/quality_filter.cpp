#include "core/data/corpus/filter/quality_filter.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "core/base/error.h"
#include "core/data/corpus/filter/text_units.h"
#include "core/text/unicode/general_category.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

using Words = std::vector<std::string_view>;

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";
constexpr std::string_view kBullets[] = {"\xE2\x80\xA2", "\xE2\x97\x8F", "\xE2\x97\xA6",
                                         "\xE2\x96\xAA", "- ",           "* "};

std::uint64_t code_points(std::string_view text) {
  return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::uint64_t occurrences(std::string_view text, std::string_view what) {
  std::uint64_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + what.size())) {
    ++count;
  }
  return count;
}

bool has_letter(std::string_view word) {
  for (std::size_t next = 0; next < word.size();) {
    if (is_letter(next_code_point(word, next))) return true;
  }
  return false;
}

template <class Parts, class Test>
double share(const Parts& parts, const Test& test) {
  if (parts.empty()) return 0;
  return static_cast<double>(std::count_if(parts.begin(), parts.end(), test)) /
         static_cast<double>(parts.size());
}

const char* gopher_fault(std::string_view text, const Words& words) {
  if (words.size() < 50) return "gopher: fewer than 50 words";
  if (words.size() > 100'000) return "gopher: more than 100,000 words";
  std::uint64_t letters = 0;
  for (const std::string_view word : words) letters += code_points(word);
  const auto count = static_cast<double>(words.size());
  const double mean = static_cast<double>(letters) / count;
  if (mean < 3 || mean > 10) return "gopher: mean length of words outside 3 to 10";
  const auto hashes = static_cast<double>(occurrences(text, "#"));
  const auto dots = static_cast<double>(occurrences(text, "...") + occurrences(text, kEllipsis));
  if (hashes / count > 0.1) return "gopher: more than one # in ten words";
  if (dots / count > 0.1) return "gopher: more than one ellipsis in ten words";
  const Words lines = lines_of(text);
  const auto bullet = [](std::string_view line) {
    return std::any_of(std::begin(kBullets), std::end(kBullets),
                       [&](std::string_view mark) { return line.starts_with(mark); });
  };
  if (share(lines, bullet) > 0.9) return "gopher: more than 90 % of the lines are bullets";
  const auto open_end = [](std::string_view line) {
    return line.ends_with("...") || line.ends_with(kEllipsis);
  };
  if (share(lines, open_end) > 0.3) return "gopher: more than 30 % of the lines end in an ellipsis";
  if (share(words, has_letter) < 0.8) return "gopher: fewer than 80 % of the words have a letter";
  return nullptr;
}

const char* english_fault(const Words& words) {
  constexpr std::array<std::string_view, 8> kStopWords = {"the", "be",   "to",   "of",
                                                          "and", "that", "have", "with"};
  std::array<bool, kStopWords.size()> found{};
  for (const std::string_view word : words) {
    const auto same = [&](std::string_view stop) {
      return std::equal(word.begin(), word.end(), stop.begin(), stop.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
      });
    };
    const auto at = std::find_if(kStopWords.begin(), kStopWords.end(), same);
    if (at != kStopWords.end()) found[static_cast<std::size_t>(at - kStopWords.begin())] = true;
  }
  return std::count(found.begin(), found.end(), true) < 2 ? "english: fewer than two common words"
                                                          : nullptr;
}

// How much of `parts` has occurred before: by number, and by bytes of `whole`.
struct Repeated {
  double parts = 0;
  double bytes = 0;
};
Repeated repeated(const Words& parts, std::string_view whole) {
  std::unordered_set<std::string_view> seen;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  for (const std::string_view part : parts) {
    if (seen.insert(part).second) continue;
    ++count;
    bytes += part.size();
  }
  if (parts.empty()) return {};
  return {static_cast<double>(count) / static_cast<double>(parts.size()),
          static_cast<double>(bytes) / static_cast<double>(whole.size())};
}

// The hash of `n` words from `at` on: of the words' own hashes, so that blanks do not count.
std::uint64_t ngram_hash(const std::vector<std::uint64_t>& hashes, std::size_t at, std::size_t n) {
  return XXH3_64bits(hashes.data() + at, n * sizeof hashes[0]);
}

// Share of the bytes of all words that lie in the most frequent run of n words.
double top_ngram(const Words& words, const std::vector<std::uint64_t>& hashes, std::size_t n,
                 std::uint64_t bytes) {
  if (words.size() < n) return 0;
  struct Gram {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
  };
  std::unordered_map<std::uint64_t, Gram> grams;
  std::uint64_t most = 0;
  for (std::size_t at = 0; at + n <= words.size(); ++at) {
    Gram& gram = grams[ngram_hash(hashes, at, n)];
    if (gram.count++ == 0) {
      for (std::size_t k = 0; k < n; ++k) gram.bytes += words[at + k].size();
    } else {
      most = std::max(most, gram.count * gram.bytes);
    }
  }
  return static_cast<double>(most) / static_cast<double>(bytes);
}

// Share of the bytes of all words that lie in runs of n words that occurred before; no byte counts
// twice.
double repeated_ngrams(const Words& words, const std::vector<std::uint64_t>& hashes, std::size_t n,
                       std::uint64_t bytes) {
  std::unordered_set<std::uint64_t> seen;
  std::uint64_t covered = 0;
  std::size_t counted = 0;  // words before it are counted already
  for (std::size_t at = 0; at + n <= words.size(); ++at) {
    if (seen.insert(ngram_hash(hashes, at, n)).second) continue;
    for (counted = std::max(counted, at); counted < at + n; ++counted) {
      covered += words[counted].size();
    }
  }
  return static_cast<double>(covered) / static_cast<double>(bytes);
}

const char* repetition_fault(std::string_view text, const Words& words) {
  if (words.empty()) return nullptr;
  const Repeated lines = repeated(lines_of(text), text);
  if (lines.parts > 0.30) return "repetition: more than 30 % of the lines occurred before";
  if (lines.bytes > 0.20) return "repetition: more than 20 % of the text in repeated lines";
  const Repeated paragraphs = repeated(paragraphs_of(text), text);
  if (paragraphs.parts > 0.30)
    return "repetition: more than 30 % of the paragraphs occurred before";
  if (paragraphs.bytes > 0.20)
    return "repetition: more than 20 % of the text in repeated paragraphs";

  std::vector<std::uint64_t> hashes;
  std::uint64_t bytes = 0;
  for (const std::string_view word : words) {
    hashes.push_back(XXH3_64bits(word.data(), word.size()));
    bytes += word.size();
  }
  struct Limit {
    std::size_t words;
    double share;
    const char* fault;
  };
  constexpr Limit kTop[] = {
      {2, 0.20, "repetition: more than 20 % of the text is one pair of words"},
      {3, 0.18, "repetition: more than 18 % of the text is one run of 3 words"},
      {4, 0.16, "repetition: more than 16 % of the text is one run of 4 words"}};
  for (const Limit& limit : kTop) {
    if (top_ngram(words, hashes, limit.words, bytes) > limit.share) return limit.fault;
  }
  constexpr Limit kAgain[] = {
      {5, 0.15, "repetition: more than 15 % of the text in repeated runs of 5 words"},
      {6, 0.14, "repetition: more than 14 % of the text in repeated runs of 6 words"},
      {7, 0.13, "repetition: more than 13 % of the text in repeated runs of 7 words"},
      {8, 0.12, "repetition: more than 12 % of the text in repeated runs of 8 words"},
      {9, 0.11, "repetition: more than 11 % of the text in repeated runs of 9 words"},
      {10, 0.10, "repetition: more than 10 % of the text in repeated runs of 10 words"}};
  for (const Limit& limit : kAgain) {
    if (repeated_ngrams(words, hashes, limit.words, bytes) > limit.share) return limit.fault;
  }
  return nullptr;
}

const char* c4_fault(std::string_view text) {
  if (text.find('{') != std::string_view::npos) return "c4: a curly bracket";
  constexpr std::string_view kFiller = "lorem ipsum";
  const auto found =
      std::search(text.begin(), text.end(), kFiller.begin(), kFiller.end(),
                  [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
  if (found != text.end()) return "c4: lorem ipsum";
  std::uint64_t sentences = 0;
  bool ended = false;  // several marks end one sentence
  for (const char c : text) {
    const bool mark = c == '.' || c == '!' || c == '?';
    if (mark && !ended) ++sentences;
    ended = mark;
  }
  return sentences < 5 ? "c4: fewer than five sentences" : nullptr;
}

struct NamedRule {
  const char* name;
  bool QualityRules::*set;
};
constexpr NamedRule kNamedRules[] = {{"gopher", &QualityRules::gopher},
                                     {"english", &QualityRules::english},
                                     {"repetition", &QualityRules::repetition},
                                     {"c4", &QualityRules::c4}};

}  // namespace

void set_quality_rules(const std::string& list, QualityRules& rules) {
  std::istringstream names(list);
  for (std::string name; std::getline(names, name, ',');) {
    const auto known = std::find_if(std::begin(kNamedRules), std::end(kNamedRules),
                                    [&](const NamedRule& rule) { return name == rule.name; });
    if (known == std::end(kNamedRules)) {
      fail(ExitCode::kUsage, "--quality ", name,
           " is not known. Known: gopher, english, repetition, c4");
    }
    rules.*known->set = true;
  }
}

std::string quality_rule_names(const QualityRules& rules) {
  std::string list;
  for (const NamedRule& rule : kNamedRules) {
    if (rules.*rule.set) list += (list.empty() ? "" : ",") + std::string(rule.name);
  }
  return list;
}

const char* quality_fault(std::string_view text, const QualityRules& rules) {
  if (rules.min_chars > 0 || rules.max_chars > 0) {
    const std::uint64_t length = code_points(text);
    if (length < rules.min_chars) return "shorter than --min-chars";
    if (rules.max_chars > 0 && length > rules.max_chars) return "longer than --max-chars";
  }
  const char* fault = rules.c4 ? c4_fault(text) : nullptr;
  if (fault != nullptr || !(rules.gopher || rules.english || rules.repetition)) return fault;
  const Words words = words_of(text);
  if (rules.gopher) fault = gopher_fault(text, words);
  if (fault == nullptr && rules.english) fault = english_fault(words);
  if (fault == nullptr && rules.repetition) fault = repetition_fault(text, words);
  return fault;
}

}  // namespace pretrain
