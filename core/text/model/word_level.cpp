#include <utility>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"
#include "core/text/model/trie_vocabulary.h"
#include "core/text/model/word_models.h"

namespace pretrain {
namespace {

class WordLevel : public TextModel {
 public:
  WordLevel(std::vector<std::string> vocabulary, const WordLevelOptions& options,
            const std::string& place)
      : vocabulary_(std::move(vocabulary), options.reserved, place),
        unknown_(vocabulary_.trie().find(options.unknown)),
        unknown_text_(options.unknown) {}

  std::size_t size() const override { return vocabulary_.size(); }
  std::optional<std::uint32_t> id_of(std::string_view token) const override {
    return vocabulary_.id_of(token);
  }
  std::string_view token(std::uint32_t id) const override { return vocabulary_.token(id); }

  void encode(std::string_view word, std::vector<std::uint32_t>& ids) const override {
    if (!word.empty()) ids.push_back(id_of_word(word));
  }
  void encode_spans(std::string_view word, std::vector<WordToken>& tokens) const override {
    if (!word.empty())
      tokens.push_back({id_of_word(word), static_cast<std::uint32_t>(word.size())});
  }

 private:
  std::uint32_t id_of_word(std::string_view word) const {
    const std::uint32_t id = vocabulary_.trie().find(word);
    if (id != ByteTrie::kNone && !vocabulary_.is_reserved(id)) return id;
    if (unknown_ == ByteTrie::kNone) {
      fail(ExitCode::kBadData, "the word ", json_string(word.substr(0, 100)),
           " is not in the vocabulary, and the vocabulary has no unknown token ",
           json_string(unknown_text_));
    }
    return unknown_;
  }

  TrieVocabulary vocabulary_;
  std::uint32_t unknown_;
  std::string unknown_text_;
};

}  // namespace

std::unique_ptr<TextModel> make_word_level(std::vector<std::string> vocabulary,
                                           const WordLevelOptions& options,
                                           const std::string& place) {
  return std::make_unique<WordLevel>(std::move(vocabulary), options, place);
}

}  // namespace pretrain
