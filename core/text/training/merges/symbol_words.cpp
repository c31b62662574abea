#include "core/text/training/merges/symbol_words.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/text/tokenizer_json.h"
#include "core/text/training/alphabet.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr std::uint32_t kLeftOut = UINT32_MAX;

void close_word(std::uint64_t count, SymbolWords& words) {
  words.begins.push_back(words.symbols.size());
  words.counts.push_back(count);
}

// A character with the marks of its place in a word.
struct MarkedCharacter {
  std::uint32_t character = 0;
  bool is_first = false;
  bool is_last = false;
};

class CharacterCutter {
 public:
  CharacterCutter(const WordCounts& counts, const CharacterSymbols& options)
      : counts_(counts), options_(options) {
    for (const std::uint32_t character : alphabet_of(counts, options.max_characters)) {
      plain_id_[character] = static_cast<std::uint32_t>(symbols_.texts.size());
      append_utf8(character, symbols_.texts.emplace_back());
    }
  }

  InitialSymbols run() {
    find_marked();
    symbols_.words.begins.push_back(0);
    for (const WordCounts::Word& word : counts_.words) {
      for_each(word.text, [&](const MarkedCharacter& marked) {
        symbols_.words.symbols.push_back(marked_id_[key_of(marked)]);
      });
      close_word(word.count, symbols_.words);
    }
    return std::move(symbols_);
  }

 private:
  template <class Use>
  void for_each(std::string_view word, const Use& use) const {
    for (std::size_t at = 0; at < word.size();) {
      const bool is_first = at == 0;
      const std::uint32_t character = next_code_point(word, at);
      if (!plain_id_.contains(character)) continue;
      use(MarkedCharacter{character, is_first, at == word.size()});
    }
  }

  static std::uint32_t key_of(const MarkedCharacter& marked) {
    return marked.character << 2U | (marked.is_first ? 2U : 0U) | (marked.is_last ? 1U : 0U);
  }

  std::string text_of(const MarkedCharacter& marked) const {
    std::string text = marked.is_first ? "" : options_.continuing_prefix;
    append_utf8(marked.character, text);
    return marked.is_last ? text + options_.end_of_word : text;
  }

  // Gives ids to all symbols that occur.
  void find_marked() {
    std::map<std::string, std::vector<std::uint32_t>> new_texts;
    for (const WordCounts::Word& word : counts_.words) {
      for_each(word.text, [&](const MarkedCharacter& marked) {
        const std::uint32_t key = key_of(marked);
        if (!marked_id_.emplace(key, kLeftOut).second) return;
        const std::string text = text_of(marked);
        const std::uint32_t plain = plain_id_.at(marked.character);
        if (text == symbols_.texts[plain]) {
          marked_id_[key] = plain;
        } else {
          new_texts[text].push_back(key);
        }
      });
    }
    for (const auto& [text, keys] : new_texts) {
      for (const std::uint32_t key : keys) {
        marked_id_[key] = static_cast<std::uint32_t>(symbols_.texts.size());
      }
      symbols_.texts.push_back(text);
    }
  }

  const WordCounts& counts_;
  const CharacterSymbols& options_;
  std::unordered_map<std::uint32_t, std::uint32_t> plain_id_;   // by character
  std::unordered_map<std::uint32_t, std::uint32_t> marked_id_;  // by key_of
  InitialSymbols symbols_;
};

}  // namespace

InitialSymbols byte_symbols_of(const WordCounts& counts) {
  std::vector<std::pair<std::string, std::size_t>> by_symbol;  // UTF-8 sorts as code points do
  for (std::size_t byte = 0; byte < 256; ++byte) {
    by_symbol.emplace_back(byte_symbol(static_cast<unsigned char>(byte)), byte);
  }
  std::sort(by_symbol.begin(), by_symbol.end());
  InitialSymbols symbols;
  std::vector<std::uint32_t> id_of(256);
  for (const auto& [text, byte] : by_symbol) {
    id_of[byte] = static_cast<std::uint32_t>(symbols.texts.size());
    symbols.texts.push_back(text);
  }
  std::size_t size = 0;
  for (const WordCounts::Word& word : counts.words) size += word.text.size();
  symbols.words.symbols.reserve(size);
  symbols.words.begins.push_back(0);
  for (const WordCounts::Word& word : counts.words) {
    for (const char c : word.text) {
      symbols.words.symbols.push_back(id_of[static_cast<unsigned char>(c)]);
    }
    close_word(word.count, symbols.words);
  }
  return symbols;
}

InitialSymbols character_symbols_of(const WordCounts& counts, const CharacterSymbols& options) {
  return CharacterCutter(counts, options).run();
}

}  // namespace pretrain
