#include "core/text/format/vocab_merges.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "core/base/error.h"
#include "core/base/json/json_reader.h"
#include "core/base/json/json_writer.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_json.h"

namespace pretrain {
namespace {

std::vector<std::string> read_vocab(std::string_view text, const std::string& place) {
  const JsonValue parsed = parse_json(text, place, {.max_bytes = kMaxTokenizerJson});
  const auto members = JsonReader(parsed, place).members();
  std::vector<std::string> tokens(members.size());
  std::vector<bool> seen(tokens.size());
  for (const auto& [token, value] : members) {
    const std::uint64_t id = value.whole();
    if (id >= tokens.size() || seen[id]) {
      fail(ExitCode::kBadData, place, ": ", json_string(token), " has id ", id,
           ", expected each of 0 to ", tokens.size() - 1, " once. Write the file again");
    }
    seen[id] = true;
    tokens[id] = token;
  }
  return tokens;
}

std::vector<BpeMerge> read_merges(std::string_view text, const std::string& place) {
  std::vector<BpeMerge> merges;
  std::size_t number = 0;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const std::size_t blank = line.find(' ');
    if (blank == 0 || blank == std::string_view::npos || blank + 1 == line.size() ||
        line.find(' ', blank + 1) != std::string_view::npos) {
      fail(ExitCode::kBadData, place, ":", number, ": ", json_string(line.substr(0, 100)),
           ", expected two tokens with one blank between them");
    }
    merges.push_back({std::string(line.substr(0, blank)), std::string(line.substr(blank + 1))});
  }
  return merges;
}

}  // namespace

ByteLevelParts read_vocab_and_merges(std::string_view vocab, const std::string& vocab_place,
                                     std::string_view merges, const std::string& merges_place) {
  ByteLevelParts parts;
  parts.vocabulary = read_vocab(vocab, vocab_place);
  parts.merges = read_merges(merges, merges_place);
  std::unordered_set<std::string> ordinary;
  for (int byte = 0; byte < 256; ++byte) {
    ordinary.insert(byte_symbol(static_cast<unsigned char>(byte)));
  }
  for (const BpeMerge& merge : parts.merges) ordinary.insert(merge.left + merge.right);
  for (std::uint32_t id = 0; id < parts.vocabulary.size(); ++id) {
    const std::string& token = parts.vocabulary[id];
    if (!ordinary.contains(token)) parts.specials.emplace_back(token, id);
  }
  return parts;
}

}  // namespace pretrain
