#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pretrain {

/// The bytes of a precompiled_charsmap with these replacements, in the plainest layout: one block
/// of 256 units for each beginning of a key, one more unit for each value.
inline std::string made_up_charsmap(
    const std::vector<std::pair<std::string, std::string>>& replacements) {
  constexpr std::size_t kBlock = 256;
  std::map<std::string, std::string> texts(replacements.begin(), replacements.end());
  std::map<std::string, std::size_t> blocks = {{"", kBlock}};  // of the children of a beginning
  std::size_t size = 2 * kBlock;
  for (const auto& [key, text] : texts) {
    for (std::size_t length = 1; length <= key.size(); ++length) {
      if (blocks.emplace(key.substr(0, length), size).second) size += kBlock;
    }
  }
  std::vector<unsigned> units(size, 0);
  std::string values;
  units[0] = static_cast<unsigned>(kBlock) << 10;
  for (const auto& [beginning, block] : blocks) {
    if (beginning.empty()) continue;
    const auto byte = static_cast<unsigned char>(beginning.back());
    const std::size_t at = blocks.at(beginning.substr(0, beginning.size() - 1)) ^ byte;
    units[at] = byte | static_cast<unsigned>((at ^ block) << 10);
    const auto found = texts.find(beginning);
    if (found == texts.end()) continue;
    units[at] |= 1u << 8;
    units[block] = 0x80000000u | static_cast<unsigned>(values.size());
    values += found->second + '\0';
  }
  std::string bytes;
  const auto put = [&](unsigned number) {
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(number >> (8 * i)));
  };
  put(static_cast<unsigned>(4 * units.size()));
  for (const unsigned unit : units) put(unit);
  return bytes + values;
}

}  // namespace pretrain
