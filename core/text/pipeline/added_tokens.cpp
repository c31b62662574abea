#include "core/text/pipeline/added_tokens.h"

#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/text/unicode/character_class.h"
#include "core/text/unicode/general_category.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

// Start of the code point that ends at `end` > 0.
std::size_t code_point_before(std::string_view text, std::size_t end) {
  std::size_t begin = end - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  return begin;
}

std::uint32_t code_point_at(std::string_view text, std::size_t at) {
  return next_code_point(text, at);
}

bool touches_words(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin > 0 && is_word_character(code_point_at(text, code_point_before(text, begin)))) ||
         (end < text.size() && is_word_character(code_point_at(text, end)));
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const Normalizer* normalizer)
    : tokens_(std::move(tokens)) {
  for (const AddedToken& token : tokens_) of_id_.emplace(token.id, &token);
  for (const bool normalized : {false, true}) {
    Finder& finder = finders_[normalized ? 1 : 0];
    std::vector<std::string> texts;
    std::set<std::string> seen;
    bool any_ordinary = false;
    // Of equal texts the first counts: special ones come first, as in `tokenizers`.
    for (const bool special : {true, false}) {
      for (AddedToken& token : tokens_) {
        if (token.special != special || token.normalized != normalized) continue;
        NormalizedText text(token.content, 0, false);
        if (normalized && normalizer != nullptr) normalizer->normalize(text);
        token.decoded = text.text();
        if (text.text().empty()) {
          if (special) continue;
          fail(ExitCode::kBadData, "added token ", token.id,
               " becomes nothing when normalized. Set its \"normalized\" to false");
        }
        if (!seen.insert(text.text()).second) continue;
        any_ordinary = any_ordinary || !special;
        texts.push_back(text.text());
        finder.tokens.push_back(&token);
      }
    }
    if (any_ordinary) {
      finder.trie = std::make_unique<ByteTrie>(texts);
    } else {
      finder.tokens.clear();
    }
  }
}

const AddedToken* AddedTokens::find_id(std::uint32_t id) const {
  const auto found = of_id_.find(id);
  return found == of_id_.end() ? nullptr : found->second;
}

std::vector<TextSection> AddedTokens::sections(std::string_view text, bool normalized) const {
  const Finder& finder = finders_[normalized ? 1 : 0];
  std::vector<TextSection> sections;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    const AddedToken* token = nullptr;
    std::size_t end = at;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (std::size_t i = at; i < text.size(); ++i) {
      node = finder.trie->step(node, text[i]);
      if (node == ByteTrie::kNone) break;
      if (const std::uint32_t place = finder.trie->value(node); place != ByteTrie::kNone) {
        token = finder.tokens[place];
        end = i + 1;
      }
    }
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::size_t begin = at;
    at = end;
    if (token->special || (token->single_word && touches_words(text, begin, end))) continue;
    if (token->lstrip) {
      while (begin > done) {
        const std::size_t before = code_point_before(text, begin);
        if (!is_white_space(code_point_at(text, before))) break;
        begin = before;
      }
    }
    if (token->rstrip) {
      while (end < text.size() && is_white_space(code_point_at(text, end))) {
        next_code_point(text, end);
      }
    }
    if (done < begin) sections.push_back({done, begin});
    sections.push_back({begin, end, token->id});
    done = end;
  }
  if (done < text.size()) sections.push_back({done, text.size()});
  return sections;
}

}  // namespace pretrain
