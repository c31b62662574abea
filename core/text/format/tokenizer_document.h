#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pretrain {

/// A token that a tokenizer.json lists under added_tokens.
struct DocumentToken {
  std::size_t id = 0;
  std::string text = {};
  bool special = true;
};

/// The parts of a tokenizer.json, each as JSON text.
struct DocumentParts {
  std::string normalizer = "null";
  std::string pre_tokenizer = "null";
  std::string post_processor = "null";
  std::string decoder = "null";
  std::string model = "null";
  std::vector<DocumentToken> added_tokens = {};
};

/// The text of a tokenizer.json.
std::string tokenizer_document(const DocumentParts& parts);

/// The model of a BPE tokenizer.
struct BpeModelParts {
  std::string unknown = {};      ///< text of the unknown token; "" for none
  std::string end_of_word = {};  ///< "" for none
  bool fuse_unknown = false;
  bool byte_fallback = false;
  bool ignore_merges = false;   ///< a word that is a token stays whole
  std::string vocabulary = {};  ///< as JSON text
  std::string merges = {};      ///< as JSON text
};
std::string bpe_model_json(const BpeModelParts& parts);

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
/// BERT's one, [CLS] before and [SEP] behind, if both are among a file's added tokens; else
/// `otherwise`. Who encodes a corpus leaves it out; rows get their marks by data.wrap.
std::string marks_json(const std::vector<DocumentToken>& added_tokens, std::string otherwise);

}  // namespace pretrain
