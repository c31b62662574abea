#include "core/text/format/rank_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"
#include "core/text/model/byte_pair/symbol_merger.h"
#include "core/text/split/split_pattern.h"
#include "core/text/tokenizer_json.h"

namespace pretrain {
namespace {

constexpr std::uint32_t kNone = MergeTable::kNone;

// Strict base64 (RFC 4648): full groups of four, padded at the end.
std::optional<std::string> decode_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string bytes;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t digit = kDigits.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    // Of each four digits the first brings no whole byte.
    if (i % 4 != 0) bytes += static_cast<char>(bits >> (6 - 2 * (i % 4)));
  }
  return bytes;
}

// Bytes of the tokens by rank; "" where a rank is left out.
std::vector<std::string> read_tokens(std::string_view text, const std::string& place) {
  std::vector<std::string> tokens;
  std::unordered_map<std::string, std::uint32_t> rank_of;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::size_t blank = std::min(line.find(' '), line.size());
    const auto bytes = decode_base64(line.substr(0, blank));
    const std::string_view digits = line.substr(std::min(blank + 1, line.size()));
    std::uint32_t rank = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (!bytes || digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
        rank >= MergeTable::kMaxTokens) {
      fail(ExitCode::kBadData, place, ":", number, ": ", json_string(line.substr(0, 100)),
           ", expected a token in base64, a blank, and a rank below ", MergeTable::kMaxTokens);
    }
    if (rank >= tokens.size()) tokens.resize(rank + 1);
    if (!tokens[rank].empty()) {
      fail(ExitCode::kBadData, place, ":", number, ": rank ", rank, " comes twice");
    }
    if (const auto [other, is_new] = rank_of.emplace(*bytes, rank); !is_new) {
      fail(ExitCode::kBadData, place, ":", number, ": the token of rank ", other->second,
           " comes again with rank ", rank);
    }
    tokens[rank] = *bytes;
  }
  return tokens;
}

std::array<std::uint32_t, 256> ranks_of_bytes(const std::vector<std::string>& tokens,
                                              const std::string& place) {
  std::array<std::uint32_t, 256> ranks;
  ranks.fill(kNone);
  for (std::uint32_t rank = 0; rank < tokens.size(); ++rank) {
    if (tokens[rank].size() == 1) ranks[static_cast<unsigned char>(tokens[rank][0])] = rank;
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (ranks[byte] == kNone) {
      fail(ExitCode::kBadData, place, ": byte ", byte, " has no token, expected one for each");
    }
  }
  return ranks;
}

std::string as_symbols(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) text += byte_symbol(static_cast<unsigned char>(byte));
  return text;
}

// Lower ranks cut each token into the two parts that make it. In a text these two parts become
// neighbours only as they do in the token alone, so no other pair ever makes it; a token that is
// cut into more can only be a whole word.
std::vector<BpeMerge> find_merges(const std::vector<std::string>& tokens,
                                  const std::string& place) {
  const auto ranks = ranks_of_bytes(tokens, place);
  MergeTable table(tokens.size(), tokens.size(), place);
  std::vector<BpeMerge> merges;
  SymbolMerger merger;
  Symbols parts;
  for (std::uint32_t rank = 0; rank < tokens.size(); ++rank) {
    const std::string& token = tokens[rank];
    if (token.size() < 2) continue;
    parts.clear();
    for (const char byte : token) parts.add(ranks[static_cast<unsigned char>(byte)], 0);
    merger.merge(table, parts);
    if (parts.ids.size() != 2) continue;
    table.add(parts.ids[0], parts.ids[1], rank);
    merges.push_back({as_symbols(tokens[parts.ids[0]]), as_symbols(tokens[parts.ids[1]])});
  }
  return merges;
}

}  // namespace

ByteLevelParts read_rank_file(std::string_view text, const std::string& place,
                              const std::string& split,
                              std::vector<std::pair<std::string, std::uint32_t>> specials) {
  if (split_regex(split).empty()) {
    std::string known;
    for (const std::string& name : split_pattern_names()) known += " " + name;
    fail(ExitCode::kUsage, place, ": no split pattern is named ", json_string(split),
         ". There are:", known);
  }
  const std::vector<std::string> tokens = read_tokens(text, place);
  ByteLevelParts parts;
  parts.merges = find_merges(tokens, place);
  parts.ignore_merges = true;
  parts.split = split;
  parts.specials = std::move(specials);
  for (const std::string& token : tokens) parts.vocabulary.push_back(as_symbols(token));
  for (const auto& [special, id] : parts.specials) {
    if (id < tokens.size() && tokens[id].empty()) parts.vocabulary[id] = special;
  }
  const auto gap = std::find(parts.vocabulary.begin(), parts.vocabulary.end(), "");
  if (gap != parts.vocabulary.end()) {
    fail(ExitCode::kBadData, place, ": rank ", gap - parts.vocabulary.begin(),
         " is left out, expected all up to ", tokens.size() - 1,
         " or a special token with that id");
  }
  return parts;
}

}  // namespace pretrain
