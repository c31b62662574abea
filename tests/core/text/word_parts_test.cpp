#include "core/text/word_parts.h"

#include <gtest/gtest.h>

#include <cctype>
#include <memory>

#include "tests/core/text/training/trained.h"

namespace pretrain {
namespace {

const std::string kText =
    "In the beginning God created the heaven and the earth. And the earth was without form, and "
    "void; and darkness was upon the face of the deep (the waters) - unbelievable \u201cna\u00efve "
    "keystone\u201d 123: beginnings, created, heavenly. And God said, Let there be light!";

std::unique_ptr<Tokenizer> trained(const TrainingOptions& options) {
  return testing::trained(kText, options);
}

bool is_mark(const std::string& character) {
  return character.size() == 1 ? std::ispunct(static_cast<unsigned char>(character[0])) != 0
                               : character == "\u201c" || character == "\u201d";
}

// What lies between blanks and punctuation marks, and these marks.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  bool open = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    const std::string character = text.substr(at, end - at);
    const bool blank = character == " ";
    if (!blank && (!open || is_mark(character))) words.emplace_back();
    if (!blank) words.back() += character;
    open = !blank && !is_mark(character);
    at = end;
  }
  return words;
}

// Where a character is several tokens, they are letters: no quotation marks beyond ASCII.
std::string straight(std::string text) {
  for (const std::string quote : {"\u201c", "\u201d"}) {
    const std::size_t at = text.find(quote);
    text = text.substr(0, at) + "-" + text.substr(at + quote.size());
  }
  return text;
}

std::string without_blanks(std::string text) {
  std::erase(text, ' ');
  return text;
}

// The text of each unit that masking chooses as a whole.
std::vector<std::string> units_of(const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<std::uint8_t> parts = word_parts(tokenizer);
  std::vector<std::uint32_t> ids;
  std::vector<TextSpan> spans;
  tokenizer.encode_with_spans(text, ids, spans);
  std::vector<std::string> units;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool goes_on =
        i > 0 && (parts[ids[i]] & kContinuesWord) != 0 && (parts[ids[i - 1]] & kEndsWord) == 0;
    if (!goes_on) units.emplace_back();
    const bool same = i > 0 && spans[i] == spans[i - 1];  // bytes of one character
    if (!same) units.back() += text.substr(spans[i].begin, spans[i].end - spans[i].begin);
  }
  for (std::string& unit : units) unit = without_blanks(unit);
  std::erase(units, "");  // a mark of a blank alone
  return units;
}

TEST(WordParts, UnitsAreWords) {
  const std::vector<std::string> words = words_of(kText);
  ASSERT_EQ(words.front(), "In");
  for (const char* kind : {"bpe", "classic_bpe", "wordpiece", "unigram", "word", "char"}) {
    const auto tokenizer = trained({.kind = kind});
    EXPECT_EQ(units_of(*tokenizer, kText), words) << kind;
  }
  EXPECT_EQ(units_of(*make_byte_tokenizer(), straight(kText)), words_of(straight(kText)));
}

TEST(WordParts, UnitsOfManyTokensAreWords) {
  const std::vector<TrainingOptions> small{
      {.vocab_size = 300},
      {.kind = "classic_bpe", .vocab_size = 80},
      {.kind = "wordpiece", .vocab_size = 90},
      {.kind = "unigram", .vocab_size = 60},
      {.kind = "unigram", .vocab_size = 310, .max_characters = 30, .byte_fallback = true}};
  const std::string text = straight(kText);
  for (const TrainingOptions& options : small) {
    const auto tokenizer = trained(options);
    std::vector<std::uint32_t> ids;
    tokenizer->encode(text, ids);
    ASSERT_GT(ids.size(), words_of(text).size() + 20) << options.kind;  // words are cut
    EXPECT_EQ(units_of(*tokenizer, text), words_of(text)) << options.kind;
  }
}

TEST(WordParts, SpecialTokensAreNoPartsOfWords) {
  const auto tokenizer = make_byte_tokenizer({"[MASK]"});
  const auto parts = word_parts(*tokenizer);
  EXPECT_EQ(parts.at(256), 0);
  EXPECT_EQ(parts.at(257), 0);
  EXPECT_EQ(parts.at('a'), kContinuesWord);
  EXPECT_EQ(parts.at(','), kEndsWord);
  EXPECT_EQ(parts.at(' '), 0);
}

}  // namespace
}  // namespace pretrain
