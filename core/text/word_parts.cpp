#include "core/text/word_parts.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

#include "core/text/unicode/general_category.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

bool starts_with_blank(std::string_view text) {
  return !text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0;
}

// Of the character that begins at `at`; a part of one is a letter.
bool is_word_character(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) return std::isalnum(byte) != 0;
  if (find_invalid_utf8(text)) return true;
  const std::uint32_t c = next_code_point(text, at);
  return !is_punctuation(c) && !is_white_space(c);
}

bool begins_in_word(std::string_view text) { return !text.empty() && is_word_character(text, 0); }

bool ends_in_punctuation(std::string_view text) {
  if (text.empty()) return false;
  std::size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return !is_word_character(text, at) && !starts_with_blank(text.substr(at));
}

std::string text_behind(const Tokenizer& tokenizer, std::uint32_t before, std::uint32_t id) {
  const std::string head = tokenizer.decode({before});
  const std::string all = tokenizer.decode({before, id});
  return all.starts_with(head) ? all.substr(head.size()) : all;
}

// A token that goes on with a word and leaves it open: behind itself it reads without a blank.
std::optional<std::uint32_t> inner_token(const Tokenizer& tokenizer) {
  for (std::uint32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    const std::string text = text_behind(tokenizer, id, id);
    const bool plain = std::all_of(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x80 && std::isalpha(c) != 0; });
    if (!text.empty() && plain) return id;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::uint8_t> word_parts(const Tokenizer& tokenizer) {
  std::vector<std::uint8_t> parts(static_cast<std::size_t>(tokenizer.vocab_size()));
  const auto inner = inner_token(tokenizer);
  if (!inner) return parts;  // each token is a word
  for (std::uint32_t id = 0; id < parts.size(); ++id) {
    const std::string text = text_behind(tokenizer, *inner, id);
    if (begins_in_word(text)) parts[id] |= kContinuesWord;
    if (ends_in_punctuation(text) || starts_with_blank(text_behind(tokenizer, id, *inner))) {
      parts[id] |= kEndsWord;
    }
  }
  return parts;
}

}  // namespace pretrain
