#include "core/text/tokenizer_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/json/json_reader.h"
#include "core/text/format/tokenizer_document.h"
#include "core/text/tokenizer.h"
#include "core/text/unicode/utf8.h"

namespace pretrain {
namespace {

// Sorted maps for reading: an ordered one searches linearly, which a hostile vocabulary exploits.
using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

OrderedJson special_token(std::size_t id, const std::string& text) {
  return {{"id", id},        {"content", text},     {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

OrderedJson document(const PlainBpe& bpe) {
  OrderedJson vocabulary = OrderedJson::object();
  auto& entries = vocabulary.get_ref<OrderedJson::object_t&>();
  for (std::size_t id = 0; id < bpe.vocabulary.size(); ++id) {
    entries.emplace_back(bpe.vocabulary[id], id);  // not by key, which would search linearly
  }
  // use_regex false: without merges there is nothing for a split into words to change.
  const OrderedJson byte_level = {{"type", "ByteLevel"},
                                  {"add_prefix_space", false},
                                  {"trim_offsets", true},
                                  {"use_regex", false}};
  OrderedJson added = OrderedJson::array();
  std::vector<DocumentToken> tokens;
  for (const std::string& text : bpe.specials) {
    tokens.push_back({.id = bpe.vocabulary.size() + added.size(), .text = text});
    added.push_back(special_token(tokens.back().id, text));
  }
  const std::string marks = bpe.has_marks ? marks_json(tokens, "null") : "null";
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", bpe.byte_level ? byte_level : OrderedJson(nullptr)},
          {"post_processor", OrderedJson::parse(marks)},
          {"decoder", bpe.byte_level ? byte_level : OrderedJson{{"type", "Fuse"}}},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", std::move(vocabulary)},
            {"merges", OrderedJson::array()}}}};
}

const JsonValue* find(const JsonValue& object, std::string_view key) {
  const auto* members = std::get_if<JsonValue::Object>(&object.data);
  if (members == nullptr) return nullptr;
  for (const auto& member : *members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

// Whether a value is what is expected; members of objects may be left out.
bool is_within(const JsonValue& given, const JsonValue& expected) {
  if (given.data.index() != expected.data.index()) return false;
  return std::visit(
      [&](const auto& data) {
        using T = std::decay_t<decltype(data)>;
        const T& wanted = std::get<T>(expected.data);
        if constexpr (std::is_same_v<T, JsonValue::Array>) {
          return std::equal(data.begin(), data.end(), wanted.begin(), wanted.end(), is_within);
        } else if constexpr (std::is_same_v<T, JsonValue::Object>) {
          return std::all_of(data.begin(), data.end(), [&](const JsonValue::Member& member) {
            const JsonValue* value = find(expected, member.key);
            return member.key == "vocab" || (value != nullptr && is_within(member.value, *value));
          });
        } else {
          return data == wanted;
        }
      },
      given.data);
}

// Token texts in the order of their ids, if those are 0, 1, 2, ...
std::optional<std::vector<std::string>> read_vocabulary(const JsonValue& model) {
  const JsonValue* vocab = find(model, "vocab");
  const auto* members = vocab == nullptr ? nullptr : std::get_if<JsonValue::Object>(&vocab->data);
  if (members == nullptr) return std::nullopt;
  std::vector<std::string> tokens(members->size());
  std::vector<bool> seen(tokens.size(), false);
  for (const auto& [token, id] : *members) {
    const auto* number = std::get_if<std::uint64_t>(&id.data);
    if (number == nullptr || *number >= tokens.size() || seen[*number]) return std::nullopt;
    seen[*number] = true;
    tokens[*number] = token;
  }
  return tokens;
}

// The special tokens of a file; an item that is none is found when the file is compared.
std::vector<std::string> read_specials(const JsonValue& root) {
  std::vector<std::string> texts;
  const JsonValue* added = find(root, "added_tokens");
  const auto* items = added == nullptr ? nullptr : std::get_if<JsonValue::Array>(&added->data);
  if (items == nullptr) return texts;
  for (const JsonValue& item : *items) {
    const JsonValue* content = find(item, "content");
    const auto* text = content == nullptr ? nullptr : std::get_if<std::string>(&content->data);
    texts.push_back(text == nullptr ? "" : *text);
  }
  return texts;
}

// The code points of a vocabulary of single characters in ascending order, else nothing.
std::vector<std::uint32_t> read_characters(const std::vector<std::string>& vocabulary) {
  std::vector<std::uint32_t> code_points;
  for (const std::string& token : vocabulary) {
    std::size_t offset = 0;
    if (token.empty()) return {};
    const std::uint32_t code_point = next_code_point(token, offset);
    const bool ascending = code_points.empty() || code_point > code_points.back();
    if (offset != token.size() || !ascending) return {};
    code_points.push_back(code_point);
  }
  return code_points;
}

bool is_null(const JsonValue* value) {
  return value == nullptr || std::holds_alternative<std::nullptr_t>(value->data);
}

}  // namespace

std::string byte_symbol(unsigned char byte) {
  const auto stands_for_itself = [](unsigned b) {
    return (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
  };
  std::uint32_t code_point = byte;
  if (!stands_for_itself(byte)) {
    code_point = 0x100;
    for (unsigned b = 0; b < byte; ++b) code_point += stands_for_itself(b) ? 0 : 1;
  }
  std::string symbol;
  append_utf8(code_point, symbol);
  return symbol;
}

std::vector<std::string> byte_symbols() {
  std::vector<std::string> symbols;
  for (unsigned byte = 0; byte < 256; ++byte) {
    symbols.push_back(byte_symbol(static_cast<unsigned char>(byte)));
  }
  return symbols;
}

std::string write_tokenizer_json(const PlainBpe& bpe) { return document(bpe).dump(2) + "\n"; }

std::string Tokenizer::sha256() const {
  const Json root = Json::parse(to_json());
  Json identity;  // its keys are sorted
  for (const char* part :
       {"model", "normalizer", "pre_tokenizer", "post_processor", "added_tokens"}) {
    identity[part] = root[part];
  }
  return sha256_hex(identity.dump());
}

std::unique_ptr<Tokenizer> read_plain_bpe(const JsonValue& root) {
  const JsonValue* model = find(root, "model");
  const auto vocabulary = model == nullptr ? std::nullopt : read_vocabulary(*model);
  if (!vocabulary) return nullptr;
  std::vector<std::string> specials = read_specials(root);
  const bool with_eos = !specials.empty() && specials.front() == kEndOfText;
  if (with_eos) specials.erase(specials.begin());
  const bool byte_level = !is_null(find(root, "pre_tokenizer"));
  const bool has_marks = !is_null(find(root, "post_processor"));
  const std::vector<std::uint32_t> characters = read_characters(*vocabulary);
  if (byte_level ? *vocabulary != byte_symbols() || !with_eos : characters.empty()) return nullptr;
  try {
    auto tokenizer = byte_level ? make_byte_tokenizer(specials, has_marks)
                                : make_char_tokenizer(characters, with_eos, specials, has_marks);
    const JsonValue expected = parse_json(tokenizer->to_json(), "tokenizer");
    const bool decoder = !is_null(find(root, "decoder"));
    return decoder && is_within(root, expected) ? std::move(tokenizer) : nullptr;
  } catch (const Error&) {
    return nullptr;  // with such special tokens it is none of these
  }
}

}  // namespace pretrain
