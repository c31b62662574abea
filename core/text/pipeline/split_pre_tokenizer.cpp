#include "core/text/pipeline/split_pre_tokenizer.h"

#include <utility>

namespace pretrain {
namespace {

// Whether a stretch joins the one before it to a word.
bool joins(SplitBehavior behavior, bool match_before, bool match) {
  switch (behavior) {
    case SplitBehavior::kRemoved:
    case SplitBehavior::kIsolated:
      return false;
    case SplitBehavior::kMergedWithPrevious:
      return match && !match_before;
    case SplitBehavior::kMergedWithNext:
      return !match && match_before;
    case SplitBehavior::kContiguous:
      return match == match_before;
  }
  return false;
}

class SplitPreTokenizer : public PreTokenizer {
 public:
  SplitPreTokenizer(std::unique_ptr<WordMatcher> matcher, SplitBehavior behavior, bool invert)
      : matcher_(std::move(matcher)), behavior_(behavior), invert_(invert) {}

  void pre_tokenize(Pieces& pieces) const override {
    std::vector<PieceRange> words;
    words.reserve(pieces.ranges.size());
    std::vector<Stretch> stretches;
    const std::string_view text = pieces.text.text();
    for (const PieceRange& range : pieces.ranges) {
      matcher_->find(text.substr(range.begin, range.end - range.begin), stretches);
      if (invert_) {
        for (Stretch& stretch : stretches) stretch.match = !stretch.match;
      }
      std::size_t begin = range.begin;
      for (std::size_t i = 0; i < stretches.size(); ++i) {
        const std::size_t end = range.begin + stretches[i].end;
        if (i > 0 && joins(behavior_, stretches[i - 1].match, stretches[i].match)) {
          words.back().end = end;
        } else if (behavior_ != SplitBehavior::kRemoved || !stretches[i].match) {
          words.push_back({begin, end});
        }
        begin = end;
      }
    }
    pieces.ranges.swap(words);
  }

 private:
  std::unique_ptr<WordMatcher> matcher_;
  SplitBehavior behavior_;
  bool invert_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_split(std::unique_ptr<WordMatcher> matcher,
                                         SplitBehavior behavior, bool invert) {
  return std::make_unique<SplitPreTokenizer>(std::move(matcher), behavior, invert);
}

}  // namespace pretrain
