#include "core/text/pipeline/pre_tokenizers.h"

#include <array>
#include <utility>

#include "core/text/pipeline/split_pre_tokenizer.h"
#include "core/text/tokenizer_json.h"
#include "core/text/unicode/character_class.h"
#include "core/text/unicode/general_category.h"

namespace pretrain {
namespace {

// Writes the text anew word by word: `write(range, next)` puts a word; what lies between words is
// not kept.
template <class Write>
void rewrite_words(Pieces& pieces, Write&& write) {
  TextRewriter next(pieces.text);
  for (PieceRange& range : pieces.ranges) {
    const std::size_t begin = next.size();
    write(range, next);
    range = {begin, next.size()};
  }
  next.finish();
}

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> parts)
      : parts_(std::move(parts)) {}
  void pre_tokenize(Pieces& pieces) const override {
    for (const auto& part : parts_) part->pre_tokenize(pieces);
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

class ByteLevelPreTokenizer : public PreTokenizer {
 public:
  ByteLevelPreTokenizer(bool add_prefix_space, std::unique_ptr<WordMatcher> splitter, bool symbols)
      : add_prefix_space_(add_prefix_space), symbols_(symbols) {
    if (splitter != nullptr) {
      splitter_ = make_split(std::move(splitter), SplitBehavior::kIsolated, false);
    }
    for (unsigned byte = 0; byte < symbol_.size(); ++byte) {
      symbol_[byte] = byte_symbol(static_cast<unsigned char>(byte));
    }
  }

  void pre_tokenize(Pieces& pieces) const override {
    if (add_prefix_space_) add_prefix_spaces(pieces);
    if (splitter_ != nullptr) splitter_->pre_tokenize(pieces);
    if (!symbols_) return;
    rewrite_words(pieces, [&](const PieceRange& word, TextRewriter& next) {
      for (std::size_t i = word.begin; i < word.end; ++i) {
        next.put(symbol_[static_cast<unsigned char>(next.old()[i])], i, i + 1);
      }
    });
  }

 private:
  static void add_prefix_spaces(Pieces& pieces) {
    rewrite_words(pieces, [](const PieceRange& word, TextRewriter& next) {
      if (next.old()[word.begin] != ' ') next.put(" ", word.begin, word.begin + 1);
      next.keep(word.begin, word.end);
    });
  }

  bool add_prefix_space_;
  std::unique_ptr<PreTokenizer> splitter_;
  bool symbols_;
  std::array<std::string, 256> symbol_;
};

class Metaspace : public PreTokenizer {
 public:
  Metaspace(std::string mark, PrependScheme scheme, bool split)
      : mark_(std::move(mark)), scheme_(scheme) {
    if (split) splitter_ = make_split(match_literal(mark_), SplitBehavior::kMergedWithNext, false);
  }

  void pre_tokenize(Pieces& pieces) const override {
    const bool at_start = pieces.text.at_source_start();
    rewrite_words(pieces, [&](const PieceRange& word, TextRewriter& next) {
      const std::string_view text = next.old().substr(0, word.end);
      const bool marked = text[word.begin] == ' ' || text.substr(word.begin).starts_with(mark_);
      const bool wanted = scheme_ == PrependScheme::kAlways ||
                          (scheme_ == PrependScheme::kFirst && at_start && word.begin == 0);
      if (wanted && !marked) next.put(mark_, word.begin, word.begin + 1);
      std::size_t done = word.begin;
      for (std::size_t at = text.find(' ', done); at != std::string_view::npos;
           at = text.find(' ', done)) {
        next.keep(done, at);
        next.put(mark_, at, at + 1);
        done = at + 1;
      }
      next.keep(done, word.end);
    });
    if (splitter_ != nullptr) splitter_->pre_tokenize(pieces);
  }

 private:
  std::string mark_;
  PrependScheme scheme_;
  std::unique_ptr<PreTokenizer> splitter_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer() {
  std::vector<std::unique_ptr<PreTokenizer>> parts;
  parts.push_back(
      make_split(match_characters(is_white_space, true), SplitBehavior::kRemoved, false));
  parts.push_back(
      make_split(match_characters(is_punctuation_8, false), SplitBehavior::kIsolated, false));
  return make_pre_tokenizer_sequence(std::move(parts));
}

std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space,
                                              std::unique_ptr<WordMatcher> splitter, bool symbols) {
  return std::make_unique<ByteLevelPreTokenizer>(add_prefix_space, std::move(splitter), symbols);
}

std::unique_ptr<PreTokenizer> make_metaspace(std::string mark, PrependScheme scheme, bool split) {
  return std::make_unique<Metaspace>(std::move(mark), scheme, split);
}

std::unique_ptr<PreTokenizer> make_pre_tokenizer_sequence(
    std::vector<std::unique_ptr<PreTokenizer>> parts) {
  return std::make_unique<PreTokenizerSequence>(std::move(parts));
}

}  // namespace pretrain
