#include "core/text/format/tokenizer_document.h"

#include <tuple>

#include "core/base/error.h"
#include "core/base/json/json_writer.h"

namespace pretrain {
namespace {

// Items of an array or map with commas between them.
class Items {
 public:
  std::string& next() {
    if (!text_.empty()) text_ += ',';
    return text_;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

const char* flag(bool value) { return value ? "true" : "false"; }

std::string text_or_null(std::string_view text) {
  return text.empty() ? "null" : json_string(text);
}

std::string special_item(std::string_view text, int type) {
  return concat(R"({"SpecialToken":{"id":)", json_string(text), R"(,"type_id":)", type, "}}");
}

std::string sequence_item(const char* name, int type) {
  return concat(R"({"Sequence":{"id":")", name, R"(","type_id":)", type, "}}");
}

std::string special_entry(std::string_view text, std::uint32_t id) {
  const std::string quoted = json_string(text);
  return concat(quoted, R"(:{"id":)", quoted, R"(,"ids":[)", id, R"(],"tokens":[)", quoted, "]}");
}

}  // namespace

std::string tokenizer_document(const DocumentParts& parts) {
  Items added;
  for (const DocumentToken& token : parts.added_tokens) {
    added.next() += concat(R"({"id":)", token.id, R"(,"content":)", json_string(token.text),
                           R"(,"single_word":false,"lstrip":false,"rstrip":false,)",
                           R"("normalized":false,"special":)", flag(token.special), "}");
  }
  return concat(R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)",
                added.text(), R"(],"normalizer":)", parts.normalizer, R"(,"pre_tokenizer":)",
                parts.pre_tokenizer, R"(,"post_processor":)", parts.post_processor,
                R"(,"decoder":)", parts.decoder, R"(,"model":)", parts.model, "}");
}

std::string bpe_model_json(const BpeModelParts& parts) {
  return concat(R"({"type":"BPE","dropout":null,"unk_token":)", text_or_null(parts.unknown),
                R"(,"continuing_subword_prefix":null,"end_of_word_suffix":)",
                text_or_null(parts.end_of_word), R"(,"fuse_unk":)", flag(parts.fuse_unknown),
                R"(,"byte_fallback":)", flag(parts.byte_fallback), R"(,"ignore_merges":)",
                flag(parts.ignore_merges), R"(,"vocab":)", parts.vocabulary, R"(,"merges":)",
                parts.merges, "}");
}

std::string vocabulary_json(const std::vector<std::string>& texts) {
  Items items;
  for (std::size_t id = 0; id < texts.size(); ++id) {
    items.next() += json_string(texts[id]) + ":" + std::to_string(id);
  }
  return "{" + items.text() + "}";
}

std::string merges_json(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& merges,
                        const std::vector<std::string>& texts) {
  Items items;
  for (const auto& [left, right] : merges) {
    items.next() += "[" + json_string(texts[left]) + "," + json_string(texts[right]) + "]";
  }
  return "[" + items.text() + "]";
}

std::string sequence_json(std::string_view key, const std::vector<std::string>& parts) {
  if (parts.empty()) return "null";
  if (parts.size() == 1) return parts.front();
  Items items;
  for (const std::string& part : parts) items.next() += part;
  return concat(R"({"type":"Sequence",)", json_string(key), ":[", items.text(), "]}");
}

std::string replace_json(std::string_view text, std::string_view by) {
  return concat(R"({"type":"Replace","pattern":{"String":)", json_string(text), R"(},"content":)",
                json_string(by), "}");
}

std::string template_json(const TemplateTokens& tokens) {
  Items single, pair, entries;
  if (!tokens.before.empty()) {
    single.next() += special_item(tokens.before, 0);
    pair.next() += special_item(tokens.before, 0);
    entries.next() += special_entry(tokens.before, tokens.before_id);
  }
  single.next() += sequence_item("A", 0);
  pair.next() += sequence_item("A", 0);
  // BERT tells the second text by its type; T5, which has no token before, does not.
  const int second = tokens.before.empty() ? 0 : 1;
  if (!tokens.behind.empty()) {
    single.next() += special_item(tokens.behind, 0);
    pair.next() += special_item(tokens.behind, 0);
    entries.next() += special_entry(tokens.behind, tokens.behind_id);
  }
  pair.next() += sequence_item("B", second);
  if (!tokens.behind.empty()) pair.next() += special_item(tokens.behind, second);
  return concat(R"({"type":"TemplateProcessing","single":[)", single.text(), R"(],"pair":[)",
                pair.text(), R"(],"special_tokens":{)", entries.text(), "}}");
}

std::string marks_json(const std::vector<DocumentToken>& added_tokens, std::string otherwise) {
  TemplateTokens tokens;
  for (const DocumentToken& token : added_tokens) {
    const auto id = static_cast<std::uint32_t>(token.id);
    if (token.text == "[CLS]") std::tie(tokens.before, tokens.before_id) = std::tie(token.text, id);
    if (token.text == "[SEP]") std::tie(tokens.behind, tokens.behind_id) = std::tie(token.text, id);
  }
  const bool both = !tokens.before.empty() && !tokens.behind.empty();
  return both ? template_json(tokens) : std::move(otherwise);
}

}  // namespace pretrain
