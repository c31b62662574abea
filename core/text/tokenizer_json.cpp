#include "core/text/tokenizer_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/json/json_reader.h"
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
  for (const std::string& text : bpe.specials) {
    added.push_back(special_token(bpe.vocabulary.size() + added.size(), text));
  }
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", bpe.byte_level ? byte_level : OrderedJson(nullptr)},
          {"post_processor", nullptr},
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

std::string short_dump(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 60) + "...";
  return text;
}

[[noreturn]] void refuse(const std::string& place, const std::string& part) {
  fail(ExitCode::kBadData, place, ": ", part,
       " is not supported. Supported parts: pretrain tokenizer verify --help");
}

// Every member of `part` must be one of `expected` with the same value; members may be left out.
void require_members(const Json& part, const Json& expected, const std::string& path,
                     const std::string& place) {
  if (!part.is_object()) refuse(place, path + " " + short_dump(part));
  for (const auto& [key, value] : part.items()) {
    if (!expected.contains(key) || expected.at(key) != value) {
      refuse(place, concat(path, ".", key, " ", short_dump(value)));
    }
  }
}

// A part that must be `expected`; another `type` is named by it.
void require_part(const Json& root, const char* name, const Json& expected,
                  const std::string& place) {
  const Json part = root.contains(name) ? root[name] : Json(nullptr);
  const bool typed = part.is_object() && part.contains("type") && part["type"].is_string();
  const bool same_type = typed && expected.is_object() && part["type"] == expected["type"];
  if (typed && !same_type) refuse(place, concat(name, " ", part["type"].get<std::string>()));
  if (same_type) {
    require_members(part, expected, name, place);
  } else if (part != expected) {
    refuse(place, concat(name, " ", short_dump(part)));
  }
}

// Token texts in the order of their ids, which must be 0, 1, 2, ...
std::vector<std::string> read_vocabulary(const Json& vocab, const std::string& place) {
  if (!vocab.is_object()) fail(ExitCode::kBadData, place, ": model.vocab is no map");
  std::vector<std::string> tokens(vocab.size());
  std::vector<bool> seen(vocab.size(), false);
  for (const auto& [token, id] : vocab.items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= tokens.size() ||
        seen[id.get<std::uint64_t>()]) {
      fail(ExitCode::kBadData, place, ": model.vocab: id ", short_dump(id),
           ", expected each of 0 to ", tokens.size() - 1, " once. Write the file again");
    }
    seen[id.get<std::uint64_t>()] = true;
    tokens[id.get<std::uint64_t>()] = token;
  }
  return tokens;
}

bool has_eos(const PlainBpe& bpe) {
  return !bpe.specials.empty() && bpe.specials.front() == kEndOfText;
}

std::vector<std::string> specials_but_eos(const PlainBpe& bpe) {
  return {bpe.specials.begin() + (has_eos(bpe) ? 1 : 0), bpe.specials.end()};
}

std::unique_ptr<Tokenizer> make_char(const PlainBpe& bpe, const std::string& place) {
  std::vector<std::uint32_t> code_points;
  for (const std::string& token : bpe.vocabulary) {
    std::size_t offset = 0;
    if (!token.empty()) code_points.push_back(next_code_point(token, offset));
    const bool ascending =
        code_points.size() < 2 || code_points.back() > code_points[code_points.size() - 2];
    if (token.empty() || offset != token.size() || !ascending) {
      fail(ExitCode::kBadData, place, ": model.vocab: token ", short_dump(token),
           ", expected single characters in ascending order");
    }
  }
  return make_char_tokenizer(code_points, has_eos(bpe), specials_but_eos(bpe));
}

std::unique_ptr<Tokenizer> make_byte(const PlainBpe& bpe, const std::string& place) {
  bool complete = bpe.vocabulary.size() == 256 && has_eos(bpe);
  for (std::size_t id = 0; complete && id < 256; ++id) {
    complete = bpe.vocabulary[id] == byte_symbol(static_cast<unsigned char>(id));
  }
  if (!complete) {
    fail(ExitCode::kBadData, place, ": a byte-level vocabulary without merges, expected the 256 ",
         "bytes in order and ", kEndOfText, ". Write it again with the byte tokenizer");
  }
  return make_byte_tokenizer(specials_but_eos(bpe));
}

// Special tokens in the order of their ids, which must follow those of the vocabulary.
std::vector<std::string> read_specials(const Json& root, std::size_t first_id,
                                       const std::string& place) {
  const Json added = root.value("added_tokens", Json::array());
  if (!added.is_array()) refuse(place, "added_tokens " + short_dump(added));
  std::vector<std::string> texts;
  for (const Json& token : added) {
    const bool named =
        token.is_object() && token.contains("content") && token["content"].is_string();
    const std::string text = named ? token["content"].get<std::string>() : "";
    const Json expected = special_token(first_id + texts.size(), text);
    require_members(token, expected, "added_tokens", place);
    if (token.size() != expected.size()) refuse(place, "added_tokens " + short_dump(token));
    texts.push_back(text);
  }
  return texts;
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

std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view json, const std::string& place) {
  // The limit of the size bounds the number of tokens and merges too.
  check_json(json, place, {.max_bytes = kMaxTokenizerJson, .max_values = kMaxTokenizerJson});
  const Json root = Json::parse(json);
  if (!root.is_object() || !root.contains("model") || !root["model"].is_object()) {
    fail(ExitCode::kBadData, place, ": no model in it, expected a tokenizer.json");
  }
  Json model = root["model"];
  if (model.contains("type") && model["type"] != "BPE") {
    refuse(place, "model " + (model["type"].is_string() ? model["type"].get<std::string>()
                                                        : short_dump(model["type"])));
  }
  PlainBpe bpe;
  bpe.vocabulary = read_vocabulary(model.value("vocab", Json()), place);
  bpe.byte_level = root.contains("pre_tokenizer") && !root["pre_tokenizer"].is_null();

  // Everything but vocabulary and added tokens must read as we would write it.
  const Json expected =
      Json::parse(write_tokenizer_json({.vocabulary = {}, .byte_level = bpe.byte_level}));
  for (const auto& [part, value] : root.items()) {
    if (!expected.contains(part)) refuse(place, part);
  }
  for (const char* part : {"version", "truncation", "padding", "normalizer", "pre_tokenizer",
                           "post_processor", "decoder"}) {
    require_part(root, part, expected[part], place);
  }
  model.erase("vocab");
  require_members(model, expected["model"], "model", place);

  bpe.specials = read_specials(root, bpe.vocabulary.size(), place);
  try {
    return bpe.byte_level ? make_byte(bpe, place) : make_char(bpe, place);
  } catch (const Error& error) {
    // What is wrong usage of the functions is wrong data in a file.
    if (error.code() != ExitCode::kUsage) throw;
    fail(ExitCode::kBadData, place, ": added_tokens: ", error.what());
  }
}

}  // namespace pretrain
