// With unit: word what is masked together is one word of the text, whatever the tokenizer makes of
// it: nothing of a word stays, nothing else goes with it.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>

#include "core/text/unicode/utf8.h"
#include "objectives/corruption/rows.h"
#include "tests/core/text/training/trained.h"
#include "tests/objectives/tiny_objective.h"

namespace pretrain {
namespace {

const std::string kText =
    "In the beginning God created the heaven and the earth. “And” the earth was without form, and "
    "void; and “darkness” was upon the face of the deep (the waters) - unbelievable! “naïve” "
    "keystones 123: beginnings, “created”, heavenly. 你好 世界, 再见! “And” God said, “Let” "
    "there be light! unbelievably “un-believable” it is; the waters face, “the” end.";
constexpr std::int64_t kLength = 34;
constexpr std::uint64_t kDraws = 400;

bool is_blank(std::uint32_t c) { return c == ' '; }
bool is_mark(std::uint32_t c) {
  return c < 0x80 ? std::ispunct(static_cast<int>(c)) != 0 : c == 0x201C || c == 0x201D;
}
bool is_chinese(std::uint32_t c) { return c >= 0x4E00 && c <= 0x9FFF; }

// For each byte of the text the number of its word, -1 for blanks. Marks are words of their own;
// BERT's tokenizers also take each Chinese character for a word.
std::vector<int> words_by_byte(const std::string& text, bool chinese_words) {
  std::vector<int> words;
  int word = -1;
  bool open = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t c = next_code_point(text, at);
    const bool alone = is_mark(c) || (chinese_words && is_chinese(c));
    if (!is_blank(c) && (alone || !open)) ++word;
    open = !is_blank(c) && !alone;
    words.resize(at, is_blank(c) ? -1 : word);
  }
  return words;
}

struct Tokens {
  std::vector<std::int64_t> ids;
  std::vector<int> words;  // of each token
};

Tokens tokens_of(const Tokenizer& tokenizer, bool chinese_words) {
  std::vector<std::uint32_t> ids;
  std::vector<TextSpan> spans;
  tokenizer.encode_with_spans(kText, ids, spans);
  std::vector<int> words = words_by_byte(kText, chinese_words);
  const auto of_token = [&](std::size_t i) {
    std::set<int> own(words.begin() + std::ptrdiff_t(spans[i].begin),
                      words.begin() + std::ptrdiff_t(spans[i].end));
    own.erase(-1);
    return own;
  };
  Tokens tokens;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    // Unigram has tokens of a word and its marks: they can only go together.
    const std::set<int> own = of_token(i);
    for (const int word : own) std::replace(words.begin(), words.end(), word, *own.begin());
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::set<int> own = of_token(i);
    tokens.ids.push_back(ids[i]);
    tokens.words.push_back(own.empty() ? -1 : *own.begin());
  }
  return tokens;
}

// Which words are masked in each of many draws over one row.
using Masked = std::vector<std::set<int>>;

Masked masked_words(const Objective& objective, const Tokens& tokens, std::size_t first) {
  const auto width = static_cast<std::size_t>(objective.row_shape().tokens);
  const auto words = std::span(tokens.words).subspan(first, width);
  std::map<int, std::int64_t> sizes;
  for (const int word : words) ++sizes[word];
  TokenBatch batch;
  const std::vector<std::int64_t> row(tokens.ids.begin() + std::ptrdiff_t(first),
                                      tokens.ids.begin() + std::ptrdiff_t(first + width));
  batch.tokens = as_tensor(row).unsqueeze(0);
  batch.row_ids = batch.epochs = {0};
  Masked draws;
  for (std::uint64_t sample = 0; sample < kDraws; ++sample) {
    batch.sample_ids = {sample};
    const Batch made = objective.prepare(batch);
    std::map<int, std::int64_t> masked;
    for (std::int64_t i = 0; i < made.target_rows.numel(); ++i) {
      const auto at = made.target_rows[i].item<std::int64_t>() - 1;  // behind [CLS]
      ++masked[words[static_cast<std::size_t>(at)]];
    }
    masked.erase(-1);  // a mark of a blank alone
    std::set<int>& drawn = draws.emplace_back();
    for (const auto& [word, count] : masked) {
      EXPECT_EQ(count, sizes[word]) << "a part of word " << word << " from token " << first;
      drawn.insert(word);
    }
  }
  return draws;
}

void expect_units_are_words(TrainingOptions options, bool chinese_words) {
  SCOPED_TRACE(options.kind);
  options.specials = {"[PAD]", "[CLS]", "[SEP]", "[MASK]"};
  const auto tokenizer = testing::trained(kText, options);
  const Tokens tokens = tokens_of(*tokenizer, chinese_words);
  const auto words = static_cast<std::size_t>(tokens.words.back()) + 1;
  ASSERT_GT(tokens.ids.size(), words * 4 / 3) << "words should be cut";
  testing::TinySetup setup;
  setup.objective = "masked_lm";
  setup.length = kLength;
  setup.layers = 1;
  setup.tokenizer = tokenizer.get();
  setup.objective_options = "unit: word, mask_prob: 0.4, mask_share: 1, random_share: 0";
  const auto objective = testing::make_tiny(setup);
  const auto width = static_cast<std::size_t>(objective->row_shape().tokens);
  std::size_t seen = 0;
  for (std::size_t first = 0; first + width <= tokens.ids.size(); first += width) {
    const Masked draws = masked_words(*objective, tokens, first);
    for (std::size_t at = first + 1; at < first + width; ++at) {
      const int word = tokens.words[at], before = tokens.words[at - 1];
      if (word == before || word < 0 || before < 0) continue;
      // Neighbours go each without the other.
      const auto apart = [&](int one, int other) {
        return std::any_of(draws.begin(), draws.end(), [&](const std::set<int>& drawn) {
          return drawn.contains(one) && !drawn.contains(other);
        });
      };
      EXPECT_TRUE(apart(word, before) && apart(before, word)) << before << " and " << word;
      ++seen;
    }
  }
  EXPECT_GT(seen, 30U);
}

TEST(MaskingWords, OneUnitIsOneWord) {
  expect_units_are_words({.kind = "wordpiece", .vocab_size = 130}, true);
  expect_units_are_words({.kind = "bpe", .vocab_size = 330}, false);
  expect_units_are_words({.kind = "unigram", .vocab_size = 110}, false);
  expect_units_are_words({.kind = "classic_bpe", .vocab_size = 120}, false);
}

}  // namespace
}  // namespace pretrain
