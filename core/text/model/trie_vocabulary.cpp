#include "core/text/model/trie_vocabulary.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

std::vector<std::string> checked(std::vector<std::string> tokens, const std::string& place) {
  if (tokens.empty()) fail(ExitCode::kBadData, place, ": the vocabulary is empty");
  if (tokens.size() >= ByteTrie::kNone) {
    fail(ExitCode::kBadData, place, ": ", tokens.size(), " tokens, expected fewer than 2^32 - 1");
  }
  std::unordered_map<std::string_view, std::size_t> seen;
  seen.reserve(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (find_invalid_utf8(tokens[id])) {
      fail(ExitCode::kBadData, place, ": token ", id, " ", json_string(tokens[id]),
           " is not valid UTF-8");
    }
    const auto [other, is_new] = seen.emplace(tokens[id], id);
    if (!is_new) {
      fail(ExitCode::kBadData, place, ": tokens ", other->second, " and ", id, " are both ",
           json_string(tokens[id]), ", expected each text once");
    }
  }
  return tokens;
}

}  // namespace

TrieVocabulary::TrieVocabulary(std::vector<std::string> tokens,
                               const std::vector<std::uint32_t>& reserved, const std::string& place)
    : tokens_(checked(std::move(tokens), place)), reserved_(tokens_.size()), trie_(tokens_) {
  for (std::uint32_t id : reserved) {
    if (id >= tokens_.size()) {
      fail(ExitCode::kBadData, place, ": special token with id ", id, ", expected 0 to ",
           tokens_.size() - 1);
    }
    reserved_[id] = 1;
  }
}

std::optional<std::uint32_t> TrieVocabulary::id_of(std::string_view token) const {
  const std::uint32_t id = trie_.find(token);
  if (id == ByteTrie::kNone) return std::nullopt;
  return id;
}

}  // namespace pretrain
