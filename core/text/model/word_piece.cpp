#include <utility>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"
#include "core/text/model/trie_vocabulary.h"
#include "core/text/model/word_models.h"

namespace pretrain {
namespace {

// More code points than `limit`; looks at no more of the word than it must.
bool is_longer(std::string_view word, std::size_t limit) {
  if (word.size() <= limit) return false;
  std::size_t count = 0;
  for (char byte : word) {
    if ((byte & 0xC0) != 0x80 && ++count > limit) return true;
  }
  return false;
}

class WordPiece : public TextModel {
 public:
  WordPiece(std::vector<std::string> vocabulary, const WordPieceOptions& options,
            const std::string& place)
      : vocabulary_(std::move(vocabulary), options.reserved, place),
        unknown_(vocabulary_.trie().find(options.unknown)),
        unknown_text_(options.unknown),
        max_characters_(options.max_characters) {
    // Tokens that continue a word are looked up from where the prefix leads.
    for (char byte : options.prefix) {
      if (inside_ != ByteTrie::kNone) inside_ = vocabulary_.trie().step(inside_, byte);
    }
  }

  std::size_t size() const override { return vocabulary_.size(); }
  std::optional<std::uint32_t> id_of(std::string_view token) const override {
    return vocabulary_.id_of(token);
  }
  std::string_view token(std::uint32_t id) const override { return vocabulary_.token(id); }

  void encode(std::string_view word, std::vector<std::uint32_t>& ids) const override {
    const std::size_t before = ids.size();
    const bool cut = segment(word, [&](std::uint32_t id, std::size_t) { ids.push_back(id); });
    if (cut) return;
    ids.resize(before);
    ids.push_back(unknown_id(word));
  }
  void encode_spans(std::string_view word, std::vector<WordToken>& tokens) const override {
    const std::size_t before = tokens.size();
    const bool cut = segment(word, [&](std::uint32_t id, std::size_t end) {
      tokens.push_back({id, static_cast<std::uint32_t>(end)});
    });
    if (cut) return;
    tokens.resize(before);
    tokens.push_back({unknown_id(word), static_cast<std::uint32_t>(word.size())});
  }

 private:
  // Calls emit(id, end) for each token; false if some part is none.
  template <class Emit>
  bool segment(std::string_view word, Emit emit) const {
    if (is_longer(word, max_characters_)) return false;
    const ByteTrie& trie = vocabulary_.trie();
    std::size_t start = 0;
    while (start < word.size()) {
      std::uint32_t best = ByteTrie::kNone;
      std::size_t best_end = start;
      ByteTrie::Node node = start == 0 ? ByteTrie::kRoot : inside_;
      for (std::size_t i = start; i < word.size() && node != ByteTrie::kNone; ++i) {
        node = trie.step(node, word[i]);
        if (node == ByteTrie::kNone) break;
        const std::uint32_t id = trie.value(node);
        if (id == ByteTrie::kNone || vocabulary_.is_reserved(id)) continue;
        best = id;
        best_end = i + 1;
      }
      if (best == ByteTrie::kNone) return false;
      emit(best, best_end);
      start = best_end;
    }
    return true;
  }

  std::uint32_t unknown_id(std::string_view word) const {
    if (unknown_ == ByteTrie::kNone) {
      fail(ExitCode::kBadData, "the word ", json_string(word.substr(0, 100)),
           " cannot be cut into tokens, and the vocabulary has no unknown token ",
           json_string(unknown_text_));
    }
    return unknown_;
  }

  TrieVocabulary vocabulary_;
  std::uint32_t unknown_;
  std::string unknown_text_;
  std::size_t max_characters_;
  ByteTrie::Node inside_ = ByteTrie::kRoot;
};

}  // namespace

std::unique_ptr<TextModel> make_word_piece(std::vector<std::string> vocabulary,
                                           const WordPieceOptions& options,
                                           const std::string& place) {
  return std::make_unique<WordPiece>(std::move(vocabulary), options, place);
}

}  // namespace pretrain
