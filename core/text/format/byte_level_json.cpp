#include "core/text/format/byte_level_json.h"

#include <nlohmann/json.hpp>

#include "core/text/format/tokenizer_document.h"
#include "core/text/split/split_pattern.h"

namespace pretrain {
namespace {

using Json = nlohmann::ordered_json;

Json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

Json pre_tokenizer(const std::string& split) {
  if (split == "gpt2") return byte_level(true);
  const Json cut = {{"type", "Split"},
                    {"pattern", {{"Regex", split_regex(split)}}},
                    {"behavior", "Isolated"},
                    {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", Json::array({cut, byte_level(false)})}};
}

}  // namespace

std::string byte_level_tokenizer_json(const ByteLevelParts& parts) {
  Json merges = Json::array();
  for (const BpeMerge& merge : parts.merges) {
    merges.push_back(Json::array({merge.left, merge.right}));
  }
  DocumentParts document{.pre_tokenizer = pre_tokenizer(parts.split).dump(),
                         .decoder = byte_level(true).dump(),
                         .model = bpe_model_json({.ignore_merges = parts.ignore_merges,
                                                  .vocabulary = vocabulary_json(parts.vocabulary),
                                                  .merges = merges.dump()})};
  for (const auto& [text, id] : parts.specials) {
    document.added_tokens.push_back({.id = id, .text = text});
  }
  return tokenizer_document(document);
}

}  // namespace pretrain
