#include "core/text/pipeline/word_matcher.h"

#include <utility>

#include "core/text/unicode/character_class.h"
#include "core/text/unicode/general_category.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

class CharacterMatcher : public WordMatcher {
 public:
  CharacterMatcher(bool (*is_match)(std::uint32_t), bool runs) : is_match_(is_match), runs_(runs) {}

  void find(std::string_view word, std::vector<Stretch>& stretches) const override {
    stretches.clear();
    for (std::size_t offset = 0; offset < word.size();) {
      const bool match = is_match_(next_code_point(word, offset));
      const bool goes_on =
          !stretches.empty() && stretches.back().match == match && (runs_ || !match);
      if (goes_on) {
        stretches.back().end = offset;
      } else {
        stretches.push_back({offset, match});
      }
    }
  }

 private:
  bool (*is_match_)(std::uint32_t);
  bool runs_;
};

class WordsAndMarksMatcher : public WordMatcher {
 public:
  void find(std::string_view word, std::vector<Stretch>& stretches) const override {
    enum class Kind { kNone, kSpace, kWord, kMark };
    stretches.clear();
    Kind before = Kind::kNone;
    for (std::size_t offset = 0; offset < word.size();) {
      const std::uint32_t code_point = next_code_point(word, offset);
      const Kind kind = is_word_character(code_point) ? Kind::kWord
                        : is_white_space(code_point)  ? Kind::kSpace
                                                      : Kind::kMark;
      if (kind == before) {
        stretches.back().end = offset;
      } else {
        stretches.push_back({offset, kind != Kind::kSpace});
      }
      before = kind;
    }
  }
};

class PatternMatcher : public WordMatcher {
 public:
  explicit PatternMatcher(const SplitPattern& pattern) : pattern_(pattern) {}

  void find(std::string_view word, std::vector<Stretch>& stretches) const override {
    stretches.clear();
    for_each_piece(pattern_, word, [&](std::size_t, std::size_t end) {
      stretches.push_back({end, true});
    });
  }

 private:
  SplitPattern pattern_;
};

class LiteralMatcher : public WordMatcher {
 public:
  explicit LiteralMatcher(std::string text) : text_(std::move(text)) {}

  void find(std::string_view word, std::vector<Stretch>& stretches) const override {
    stretches.clear();
    std::size_t end = 0;
    for (std::size_t at = word.find(text_); at != std::string_view::npos;
         at = word.find(text_, end)) {
      if (at > end) stretches.push_back({at, false});
      end = at + text_.size();
      stretches.push_back({end, true});
    }
    if (end < word.size()) stretches.push_back({word.size(), false});
  }

 private:
  std::string text_;
};

}  // namespace

std::unique_ptr<WordMatcher> match_characters(bool (*is_match)(std::uint32_t), bool runs) {
  return std::make_unique<CharacterMatcher>(is_match, runs);
}

std::unique_ptr<WordMatcher> match_words_and_marks() {
  return std::make_unique<WordsAndMarksMatcher>();
}

std::unique_ptr<WordMatcher> match_pattern(const SplitPattern& pattern) {
  return std::make_unique<PatternMatcher>(pattern);
}

std::unique_ptr<WordMatcher> match_literal(std::string text) {
  return std::make_unique<LiteralMatcher>(std::move(text));
}

}  // namespace pretrain
