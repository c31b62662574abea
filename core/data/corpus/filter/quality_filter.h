#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pretrain {

/// Rules that a document must meet to come into a corpus. Words are runs without white space, lines
/// end at LF, letters are those of Unicode, lengths count code points.
struct QualityRules {
  std::uint64_t min_chars = 0;  ///< code points; 0: no bound
  std::uint64_t max_chars = 0;
  /// The document rules of Rae et al. 2021 (Gopher, arXiv 2112.11446, appendix A1.1): 50 to 100,000
  /// words of 3 to 10 letters on average; fewer than one # or ellipsis in ten words; at most 90 %
  /// of the lines with a bullet and 30 % ending in an ellipsis; letters in 80 % of the words.
  bool gopher = false;
  /// Its rule for English text: two of the words the, be, to, of, and, that, have, with.
  bool english = false;
  /// Its limits on what is repeated (table A1): lines and paragraphs, by number and by characters,
  /// the most frequent 2 to 4 words, and runs of 5 to 10 words that occur again.
  bool repetition = false;
  /// What Raffel et al. 2020 (C4, arXiv 1910.10683, section 2.2) drop as a whole: curly brackets,
  /// "lorem ipsum", fewer than five sentences.
  bool c4 = false;

  bool any() const {
    return min_chars > 0 || max_chars > 0 || gopher || english || repetition || c4;
  }
};

/// Sets the rules of a list such as "gopher,repetition". Throws kUsage for an unknown name.
void set_quality_rules(const std::string& list, QualityRules& rules);
/// The list of the rules that are set, bounds aside; always in the same order.
std::string quality_rule_names(const QualityRules& rules);

/// Why the rules refuse `text` (valid UTF-8): the name of the first rule that it breaks, which
/// lives for ever; nullptr if it breaks none.
const char* quality_fault(std::string_view text, const QualityRules& rules);

}  // namespace pretrain
