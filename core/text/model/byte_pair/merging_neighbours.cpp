#include "core/text/model/byte_pair/merging_neighbours.h"

#include <string>
#include <string_view>
#include <unordered_map>

#include "core/text/tokenizer_json.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

constexpr std::size_t kNoByte = 256;

// Where the last character of `text` begins.
std::size_t last_character(std::string_view text) {
  std::size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

}  // namespace

MergingNeighbours::MergingNeighbours(const TrieVocabulary& vocabulary, const MergeTable& merges)
    : bits_(256 * 256 / 64) {
  std::unordered_map<std::string, std::size_t> byte_of;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    byte_of[byte_symbol(static_cast<unsigned char>(byte))] = byte;
  }
  const auto find = [&](const std::string& symbol) {
    const auto found = byte_of.find(symbol);
    return found == byte_of.end() ? kNoByte : found->second;
  };
  merges.for_each_pair([&](std::uint32_t left, std::uint32_t right) {
    const std::string& before = vocabulary.token(left);
    const std::string& behind = vocabulary.token(right);
    if (before.empty() || behind.empty()) return;
    std::size_t first_end = 0;
    next_code_point(behind, first_end);
    const std::size_t last = find(before.substr(last_character(before)));
    const std::size_t first = find(behind.substr(0, first_end));
    if (last == kNoByte || first == kNoByte) return;  // no bytes ever become these tokens
    const std::size_t pair = last << 8 | first;
    bits_[pair / 64] |= std::uint64_t{1} << (pair % 64);
  });
}

}  // namespace pretrain
