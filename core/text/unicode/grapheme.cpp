#include "core/text/unicode/grapheme.h"

#include <cstdint>
#include <vector>

#include "core/text/unicode/code_point_runs.h"
#include "core/text/unicode/grapheme_runs.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

enum class GraphemeClass : std::uint8_t {
  kOther,
  kCarriageReturn,
  kLineFeed,
  kControl,
  kLinker,      // joins the consonants of a conjunct; extends
  kExtend,      // may stand within a conjunct
  kExtendOnly,  // may not
  kJoiner,      // zero width joiner
  kRegional,    // half of a flag
  kPrepend,
  kSpacingMark,
  kHangulLead,
  kHangulVowel,
  kHangulTail,
  kHangulSyllable,
  kPictograph,
  kConsonant,
};

constexpr std::uint32_t kFirstSyllable = 0xAC00;
constexpr std::uint32_t kTails = 28;  // syllables of a lead and a vowel, the first without tail

GraphemeClass class_of(std::uint32_t code_point) {
  static const std::vector<std::uint8_t> kClasses = expand_code_point_runs(kGraphemeRuns);
  return static_cast<GraphemeClass>(kClasses[code_point]);
}

bool is_control(GraphemeClass c) {
  return c == GraphemeClass::kCarriageReturn || c == GraphemeClass::kLineFeed ||
         c == GraphemeClass::kControl;
}

bool extends(GraphemeClass c) {
  return c == GraphemeClass::kLinker || c == GraphemeClass::kExtend ||
         c == GraphemeClass::kExtendOnly || c == GraphemeClass::kJoiner;
}

// What the cluster so far lets follow (rules GB3 to GB13 of the annex).
class Cluster {
 public:
  explicit Cluster(std::uint32_t code_point) { take(code_point, class_of(code_point)); }

  bool joins(GraphemeClass next) const {
    using enum GraphemeClass;
    if (last_ == kCarriageReturn && next == kLineFeed) return true;
    if (is_control(last_) || is_control(next)) return false;
    if (extends(next) || next == kSpacingMark || last_ == kPrepend) return true;
    switch (next) {
      case kHangulLead:
      case kHangulSyllable:
        return last_ == kHangulLead;
      case kHangulVowel:
        return last_ == kHangulLead || last_ == kHangulVowel || open_syllable_;
      case kHangulTail:
        return last_ == kHangulVowel || last_ == kHangulTail || last_ == kHangulSyllable;
      case kRegional:
        return last_ == kRegional && odd_regional_;
      case kPictograph:
        return last_ == kJoiner && pictograph_;
      case kConsonant:
        return conjunct_ && linked_;
      default:
        return false;
    }
  }

  void take(std::uint32_t code_point, GraphemeClass c) {
    using enum GraphemeClass;
    // A pictograph may be extended before the joiner; a conjunct may be, but not by kExtendOnly.
    pictograph_ = c == kPictograph || (pictograph_ && extends(c) && last_ != kJoiner);
    if (c == kConsonant) {
      conjunct_ = true;
      linked_ = false;
    } else if (c == kLinker) {
      linked_ = conjunct_;
    } else if (c != kExtend && c != kJoiner) {
      conjunct_ = false;
    }
    odd_regional_ = c == kRegional && !odd_regional_;
    open_syllable_ = c == kHangulSyllable && (code_point - kFirstSyllable) % kTails == 0;
    last_ = c;
  }

 private:
  GraphemeClass last_ = GraphemeClass::kOther;
  bool pictograph_ = false;
  bool conjunct_ = false;
  bool linked_ = false;
  bool odd_regional_ = false;
  bool open_syllable_ = false;
};

}  // namespace

std::size_t grapheme_end(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  Cluster cluster(next_code_point(text, end));
  while (end < text.size()) {
    std::size_t next_end = end;
    const std::uint32_t next = next_code_point(text, next_end);
    const GraphemeClass c = class_of(next);
    if (!cluster.joins(c)) break;
    cluster.take(next, c);
    end = next_end;
  }
  return end;
}

}  // namespace pretrain
