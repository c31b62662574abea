#include "core/text/model/bpe.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"
#include "core/text/model/byte_pair/byte_level_bpe.h"
#include "core/text/model/byte_pair/symbol_merger.h"
#include "core/text/model/trie_vocabulary.h"
#include "core/text/tokenizer_json.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

std::string byte_token(char byte) {
  char text[8];
  std::snprintf(text, sizeof text, "<0x%02X>", static_cast<unsigned char>(byte));
  return text;
}

// BPE with every option, as `tokenizers` does it.
class Bpe : public TextModel {
 public:
  Bpe(TrieVocabulary vocabulary, MergeTable merges, const BpeOptions& options,
      const std::string& place)
      : vocabulary_(std::move(vocabulary)), merges_(std::move(merges)), options_(options) {
    if (!options.unknown.empty()) {
      unknown_ = vocabulary_.trie().find(options.unknown);
      if (unknown_ == ByteTrie::kNone) {
        fail(ExitCode::kBadData, place, ": unk_token ", json_string(options.unknown),
             " is not in the vocabulary");
      }
    }
    for (int byte = 0; byte < 256; ++byte) {
      fallback_.push_back(find(byte_token(static_cast<char>(byte))));
    }
  }

  std::size_t size() const override { return vocabulary_.size(); }
  std::optional<std::uint32_t> id_of(std::string_view token) const override {
    return vocabulary_.id_of(token);
  }
  std::string_view token(std::uint32_t id) const override { return vocabulary_.token(id); }

  void encode(std::string_view word, std::vector<std::uint32_t>& ids) const override {
    const Symbols& symbols = tokens_of(word);
    ids.insert(ids.end(), symbols.ids.begin(), symbols.ids.end());
  }

  void encode_spans(std::string_view word, std::vector<WordToken>& tokens) const override {
    const Symbols& symbols = tokens_of(word);
    for (std::size_t i = 0; i < symbols.ids.size(); ++i) {
      tokens.push_back({symbols.ids[i], symbols.ends[i]});
    }
  }

 private:
  std::uint32_t find(std::string_view token) const {
    const std::uint32_t id = vocabulary_.trie().find(token);
    return id == ByteTrie::kNone || vocabulary_.is_reserved(id) ? ByteTrie::kNone : id;
  }

  // The result stays valid until the thread's next call.
  const Symbols& tokens_of(std::string_view word) const {
    static thread_local Symbols symbols;
    static thread_local SymbolMerger merger;
    if (word.size() > UINT32_MAX) {
      fail(ExitCode::kBadData, "a word of ", word.size(), " bytes, expected less than 4 GiB");
    }
    symbols.clear();
    if (options_.ignore_merges && !word.empty()) {
      const std::uint32_t whole = find(options_.byte_level ? as_symbols(word) : std::string(word));
      if (whole != ByteTrie::kNone) {
        symbols.add(whole, static_cast<std::uint32_t>(word.size()));
        return symbols;
      }
    }
    add_symbols(word, symbols);
    merger.merge(merges_, symbols);
    return symbols;
  }

  static std::string as_symbols(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) text += byte_symbol(static_cast<unsigned char>(byte));
    return text;
  }

  // A character that is no token waits as `unknown` until the next one that is: `tokenizers` then
  // writes it, and so in front of that, but behind bytes that stand for characters in between.
  void add_symbols(std::string_view word, Symbols& symbols) const {
    bool unknown = false;
    std::uint32_t unknown_end = 0;
    const auto add_unknown = [&] {
      if (unknown) symbols.add(unknown_, unknown_end);
      unknown = false;
    };
    std::string text;
    for (std::size_t begin = 0, end = 0; begin < word.size(); begin = end) {
      text = begin == 0 ? "" : options_.prefix;
      if (options_.byte_level) {
        text += byte_symbol(static_cast<unsigned char>(word[end++]));
      } else {
        next_code_point(word, end);
        text += word.substr(begin, end - begin);
      }
      if (end == word.size()) text += options_.suffix;
      const std::uint32_t id = find(text);
      if (id != ByteTrie::kNone) {
        add_unknown();
        symbols.add(id, static_cast<std::uint32_t>(end));
      } else if (!options_.byte_fallback || !add_bytes(text, begin, end, symbols)) {
        if (options_.unknown.empty()) refuse(word.substr(begin, end - begin), text);
        if (!options_.fuse_unknown) add_unknown();
        unknown = true;
        unknown_end = static_cast<std::uint32_t>(end);
      }
    }
    add_unknown();
  }

  // All bytes of `text`, which stands for [begin, end) of the word, or none of them.
  bool add_bytes(const std::string& text, std::size_t begin, std::size_t end,
                 Symbols& symbols) const {
    const auto id_of_byte = [&](char byte) { return fallback_[static_cast<unsigned char>(byte)]; };
    for (const char byte : text) {
      if (id_of_byte(byte) == ByteTrie::kNone) return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::size_t byte_end = i + 1 == text.size() ? end : std::min(begin + i + 1, end);
      symbols.add(id_of_byte(text[i]), static_cast<std::uint32_t>(byte_end));
    }
    return true;
  }

  [[noreturn]] void refuse(std::string_view character, const std::string& text) const {
    fail(ExitCode::kBadData, options_.byte_level ? "the byte " : "the character ",
         options_.byte_level ? byte_token(character[0]) : json_string(character),
         " is not in the vocabulary (as ", json_string(text),
         "), and the model has no unk_token. Train with all characters, or set one");
  }

  TrieVocabulary vocabulary_;
  MergeTable merges_;
  BpeOptions options_;
  std::uint32_t unknown_ = ByteTrie::kNone;
  std::vector<std::uint32_t> fallback_;
};

}  // namespace

std::unique_ptr<TextModel> make_bpe(std::vector<std::string> vocabulary,
                                    const std::vector<BpeMerge>& merges, const BpeOptions& options,
                                    const std::string& place) {
  TrieVocabulary texts(std::move(vocabulary), options.reserved, place);
  MergeTable table(texts, merges, options.prefix, place);
  if (options.byte_level && options.prefix.empty() && options.suffix.empty()) {
    if (const auto bytes = byte_ids(texts)) {
      return make_byte_level_bpe(std::move(texts), std::move(table), *bytes, options.ignore_merges);
    }
  }
  return std::make_unique<Bpe>(std::move(texts), std::move(table), options, place);
}

const ByteLevelBpe* as_byte_level_bpe(const TextModel& model) {
  return dynamic_cast<const ByteLevelBpe*>(&model);
}

}  // namespace pretrain
