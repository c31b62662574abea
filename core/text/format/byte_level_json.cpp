#include "core/text/format/byte_level_json.h"

#include <nlohmann/json.hpp>

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
  Json vocabulary = Json::object();
  auto& entries = vocabulary.get_ref<Json::object_t&>();
  for (std::size_t id = 0; id < parts.vocabulary.size(); ++id) {
    entries.emplace_back(parts.vocabulary[id], id);  // not by key, which would search linearly
  }
  Json merges = Json::array();
  for (const BpeMerge& merge : parts.merges) {
    merges.push_back(Json::array({merge.left, merge.right}));
  }
  Json added = Json::array();
  for (const auto& [text, id] : parts.specials) {
    added.push_back({{"id", id},
                     {"content", text},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json root = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", added},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", pre_tokenizer(parts.split)},
                     {"post_processor", nullptr},
                     {"decoder", byte_level(true)},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", parts.ignore_merges},
                       {"vocab", std::move(vocabulary)},
                       {"merges", std::move(merges)}}}};
  return root.dump();
}

}  // namespace pretrain
