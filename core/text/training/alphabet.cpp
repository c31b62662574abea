#include "core/text/training/alphabet.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/text/unicode/utf8.h"

namespace pretrain {

std::vector<std::uint32_t> alphabet_of(const WordCounts& counts, std::size_t max_characters) {
  std::unordered_map<std::uint32_t, std::uint64_t> count_of;
  for (const WordCounts::Word& word : counts.words) {
    for (std::size_t at = 0; at < word.text.size();) {
      count_of[next_code_point(word.text, at)] += word.count;
    }
  }
  std::vector<std::pair<std::uint32_t, std::uint64_t>> all(count_of.begin(), count_of.end());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (max_characters > 0 && all.size() > max_characters) all.resize(max_characters);
  std::vector<std::uint32_t> alphabet;
  for (const auto& [character, count] : all) alphabet.push_back(character);
  std::sort(alphabet.begin(), alphabet.end());
  return alphabet;
}

}  // namespace pretrain
