#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pretrain {

/// The parts of a tokenizer.json, each as JSON text.
struct DocumentParts {
  std::string normalizer = "null";
  std::string pre_tokenizer = "null";
  std::string post_processor = "null";
  std::string decoder = "null";
  std::string model = "null";
  std::vector<std::pair<std::uint32_t, std::string>> specials = {};  ///< ids and texts
};

/// The text of a tokenizer.json.
std::string tokenizer_document(const DocumentParts& parts);

/// `{"text": id, ...}` with ids from 0.
std::string vocabulary_json(const std::vector<std::string>& texts);
/// `[["text", "text"], ...]`, given ids of `texts`.
std::string merges_json(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& merges,
                        const std::vector<std::string>& texts);
/// `{"type": "Sequence", "KEY": [...]}`; the only part if there is one, null if there is none.
std::string sequence_json(std::string_view key, const std::vector<std::string>& parts);
/// A normalizer or decoder that replaces one text by another.
std::string replace_json(std::string_view text, std::string_view by);
/// A post-processor of texts and pairs of texts: before and behind the first, behind the second;
/// "" for none. Both special tokens need ids.
struct TemplateTokens {
  std::string before = {};
  std::string behind = {};
  std::uint32_t before_id = 0;
  std::uint32_t behind_id = 0;
};
std::string template_json(const TemplateTokens& tokens);

}  // namespace pretrain
